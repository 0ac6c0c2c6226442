import Glibc

/// A syslog daemon: of this machine, or over UDP or TCP.
///
/// Nothing is opened before the first record, and neither a resolver nor a receiver that does not answer holds anybody: the name is looked up by a thread of its own,
/// the connection is made by the kernel, and the writer looks now and then how far they are (`HostConnection`).
///
/// No transport of syslog confirms anything. A local daemon that was restarted is found again at once, and nothing is lost or repeated by it. What a UDP receiver
/// misses while it is away is lost. Over TCP, what the connection held when it broke is lost (256 KiB at most, and what the receiver had not read), but a
/// connection that the other end has closed in an orderly way is noticed before anything is put into it. The message that was cut off by a break comes
/// again, whole.
package final class SyslogSink: Sink {
  package let target: SyslogTarget
  package let format: LogFormat
  package let colours = false
  package let level: Level
  private let options: SyslogOptions
  /// What spells the message, when a format was asked for.
  private let inner: LogFormat?
  private(set) var carrier: (any LineCarrier)?
  /// The way to another host; nil for this one.
  private let host: HostConnection?

  package var name: String { target.name }

  /// Throws for a path that is no socket's. Neither blocks nor connects.
  package init(
    _ target: SyslogTarget, options: SyslogOptions = SyslogOptions(), format: LogFormat? = nil, level: Level = .trace
  ) throws(LogError) {
    self.target = target
    self.options = options
    self.level = level
    inner = format
    self.format = format ?? .rfc5424
    host =
      switch target {
      case .local: nil
      case .udp(let host, let port): HostConnection(host: host, port: port, SOCK_DGRAM)
      case .tcp(let host, let port): HostConnection(host: host, port: port, SOCK_STREAM)
      }
    if case .local(let path) = target, SocketAddress(path: path) == nil {
      throw LogError("cannot log to \(target.name): the path of a socket has 1 to 107 bytes; use a shorter one")
    }
  }

  package func makeFormatter() -> any Formatter {
    // What a daemon of this machine expects in the old form has no host.
    SyslogFormatter(
      options, standard: standard, maximumBytes: maximumBytes,
      hostname: isLocal && standard == .rfc3164 ? nil : HostName.current, message: inner?.makeMessageFormatter())
  }

  private var isLocal: Bool { if case .local = target { true } else { false } }

  /// `format=rfc3164` says the same as `rfc=3164`.
  private var standard: SyslogOptions.Standard {
    switch inner {
    case .rfc3164: .rfc3164
    case .rfc5424: .rfc5424
    default: options.standard ?? (isLocal ? .rfc3164 : .rfc5424)
    }
  }

  private var maximumBytes: Int {
    if let size = options.maximumBytes { return size }
    switch target {
    case .local: return 8192
    case .udp: return standard == .rfc3164 ? 1024 : 2048
    case .tcp: return standard == .rfc3164 ? 1024 : 8192
    }
  }

  package func intent(length: Int) -> SinkIntent { .stream }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    guard try unsafe accept(bytes, patienceMilliseconds: 100) == bytes.count else { throw Errno(EAGAIN) }
  }

  package func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    guard bytes.count > 0 else { return 0 }
    if let carrier {
      do {
        return try unsafe carrier.accept(bytes, patienceMilliseconds: patienceMilliseconds)
      } catch {
        self.carrier = nil
        // A local daemon that was restarted has a new socket under the old name.
        if !isLocal { throw error }
      }
    }
    guard let carrier = try connect(withinMilliseconds: patienceMilliseconds) else { return 0 }
    self.carrier = carrier
    do {
      return try unsafe carrier.accept(bytes, patienceMilliseconds: patienceMilliseconds)
    } catch {
      self.carrier = nil
      throw error
    }
  }

  package func reopen() throws(Errno) -> Bool {
    carrier = nil
    carrier = try connect(withinMilliseconds: 0)
    return true
  }

  package func describe(_ error: Errno) -> String {
    switch error.code {
    case EHOSTUNREACH: host?.problem ?? "\(error)"
    case EAGAIN: (carrier == nil ? host?.problem : nil) ?? "its reader does not keep up"
    default: "\(error)"
    }
  }

  package func synchronise() {}

  package func finish() { carrier = nil }

  // MARK: connecting

  /// Nil as long as a host has not answered.
  private func connect(withinMilliseconds patience: Int) throws(Errno) -> (any LineCarrier)? {
    if case .local(let path) = target { return try connectLocal(path) }
    guard let socket = try host?.socket(withinMilliseconds: patience) else { return nil }
    if case .tcp = target { return StreamLines(socket, .octetCounting) }
    return DatagramLines(socket)
  }

  private func connectLocal(_ path: String) throws(Errno) -> any LineCarrier {
    guard let address = SocketAddress(path: path) else { throw Errno(ENAMETOOLONG) }
    do {
      return DatagramLines(try Socket.connected(to: address, SOCK_DGRAM))
    } catch  where error.code == EPROTOTYPE {
      return StreamLines(try Socket.connected(to: address, SOCK_STREAM), .zeroByte)
    }
  }
}

extension LogFormat {
  /// A formatter for the text inside another message, on one line; nil: the text and its fields as the outer format has them.
  func makeMessageFormatter() -> (any Formatter)? {
    switch self {
    case .rfc3164, .rfc5424: nil
    case .console: ConsoleFormatter(colours: false, isMultiline: false)
    case .json, .logfmt, .bunyan: makeFormatter(colours: false)
    }
  }
}
