/// Where syslog messages go.
public enum SyslogTarget: Sendable, Equatable {
  /// A socket of this machine, `/dev/log` as a rule: datagrams, or a stream where the daemon has one, as glibc's `syslog(3)` does.
  case local(path: String)
  /// One datagram a message (RFC 5426). Nobody confirms anything: what the network or the receiver drops is lost unseen.
  case udp(host: String, port: UInt16)
  /// A stream with octet counting (RFC 6587). What a connection held when it broke is lost, or there twice.
  case tcp(host: String, port: UInt16)

  /// As `TREERING_SINK` spells it, without options.
  public var name: String { url.text }

  /// The target that a URL names; nil when it names none.
  init?(_ url: SinkURL) {
    switch url.scheme {
    case "syslog" where url.path.isEmpty: self = .local(path: "/dev/log")
    case "syslog" where url.path.hasPrefix("/") && !url.path.hasPrefix("//"): self = .local(path: url.path)
    case "syslog+udp":
      guard let (host, port) = Self.authority(url.path, port: 514) else { return nil }
      self = .udp(host: host, port: port)
    case "syslog+tcp":
      guard let (host, port) = Self.authority(url.path, port: 601) else { return nil }
      self = .tcp(host: host, port: port)
    default: return nil
    }
  }

  var url: SinkURL {
    switch self {
    case .local(let path): SinkURL(scheme: "syslog", path: path)
    case .udp(let host, let port): SinkURL(scheme: "syslog+udp", path: Self.path(host, port))
    case .tcp(let host, let port): SinkURL(scheme: "syslog+tcp", path: Self.path(host, port))
    }
  }

  private static func path(_ host: String, _ port: UInt16) -> String {
    host.contains(":") ? "//[\(host)]:\(port)" : "//\(host):\(port)"
  }

  /// `//host:port`, `//host`, `//[::1]:port`.
  private static func authority(_ path: String, port: UInt16) -> (String, UInt16)? {
    guard path.hasPrefix("//") else { return nil }
    var rest = path.dropFirst(2)
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    let host: Substring
    if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
      host = rest[rest.index(after: rest.startIndex)..<end]
      rest = rest[rest.index(after: end)...]
    } else {
      host = rest.prefix { $0 != ":" }
      rest = rest[host.endIndex...]
    }
    guard !host.isEmpty, !host.contains("/") else { return nil }
    if rest.isEmpty { return (String(host), port) }
    guard rest.hasPrefix(":"), let number = UInt16(rest.dropFirst()), number > 0 else { return nil }
    return (String(host), number)
  }
}
