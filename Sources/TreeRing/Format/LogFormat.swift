/// How a record is spelled.
public enum LogFormat: String, Sendable, CaseIterable {
  /// One JSON object per line.
  case json
  /// For people: aligned, coloured on a terminal.
  case console
  /// `name=value` pairs.
  case logfmt
  /// One JSON object per line as node's bunyan writes it.
  case bunyan
  /// A syslog message per line, with structured data.
  case rfc5424
  /// A syslog message per line, in the old form.
  case rfc3164
}

extension LogFormat {
  /// A formatter for a sink that has no say in how records are spelled.
  func makeFormatter(colours: Bool) -> any Formatter {
    switch self {
    case .json: JSONFormatter()
    case .console: ConsoleFormatter(colours: colours)
    case .logfmt: LogfmtFormatter()
    case .bunyan: BunyanFormatter()
    case .rfc5424: SyslogFormatter(SyslogOptions(), standard: .rfc5424, maximumBytes: RecordLayout.largestRecord * 2)
    case .rfc3164: SyslogFormatter(SyslogOptions(), standard: .rfc3164, maximumBytes: RecordLayout.largestRecord * 2)
    }
  }
}
