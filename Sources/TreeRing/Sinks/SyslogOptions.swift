/// How records become syslog messages.
public struct SyslogOptions: Sendable, Equatable {
  /// Which of the two RFCs.
  public enum Standard: String, Sendable, CaseIterable {
    /// Structured data, time with microseconds and zone, any length a receiver takes.
    case rfc5424 = "5424"
    /// The old one, which is what `/dev/log` speaks: local time without a year, text only.
    case rfc3164 = "3164"
  }

  /// Nil: RFC 3164 on this machine, RFC 5424 over the network.
  public var standard: Standard?
  /// 0 to 23: `user` (1) unless it is set; see ``facilities``.
  public var facility: Int
  /// APP-NAME or TAG: the program's file name unless it is set.
  public var application: String
  /// Bytes of the longest message; a longer one is cut, and marked. Nil: 1024 for RFC 3164 over the network, 2048 for RFC 5424 over UDP, 8192 otherwise.
  public var maximumBytes: Int?

  /// Options; what is not named has its default.
  public init(
    standard: Standard? = nil, facility: Int = 1, application: String? = nil, maximumBytes: Int? = nil
  ) {
    self.standard = standard
    self.facility = min(max(facility, 0), 23)
    self.application = application ?? ProcessIdentity.programName()
    self.maximumBytes = maximumBytes.map { min(max($0, Self.sizes.lowerBound), Self.sizes.upperBound) }
  }

  /// RFC 5424's names, by number.
  public static let facilities = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "security", "console", "solaris-cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
  ]

  /// What ``maximumBytes`` may be: every receiver takes 480 (RFC 5426, section 3.2), and a UDP datagram has room for 65,507.
  static let sizes = 480...65_507
}

extension SyslogOptions {
  /// Takes `rfc=5424|3164`, `facility=name|number`, `app=` and `max=` out of a URL; nil when one of them is not understood.
  init?(_ url: inout SinkURL) {
    self.init(application: url.take("app"))
    if let name = url.take("rfc") {
      guard let standard = Standard(rawValue: name) else { return nil }
      self.standard = standard
    }
    if let name = url.take("facility") {
      guard let number = Self.facilities.firstIndex(of: name) ?? Int(name), 0...23 ~= number else { return nil }
      facility = number
    }
    if let text = url.take("max") {
      guard let size = Int(text), Self.sizes ~= size else { return nil }
      maximumBytes = size
    }
  }

  static let forms = "rfc=5424|3164, facility=user|local0|…, app=NAME and max=BYTES (480 to 65507)"

  /// The URL of a target with the options that `init(_:)` reads back. The program's name is always there: who recovers another program's records must not use
  /// its own.
  func url(of target: SinkURL) -> SinkURL {
    var url = target
    if let standard { url.options.append(("rfc", standard.rawValue)) }
    if facility != 1 { url.options.append(("facility", Self.facilities[facility])) }
    url.options.append(("app", application))
    if let maximumBytes { url.options.append(("max", String(maximumBytes))) }
    return url
  }
}
