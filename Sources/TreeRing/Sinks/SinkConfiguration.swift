/// One destination of the writer thread.
public struct SinkConfiguration: Sendable, Equatable {
  /// What it writes to.
  public enum Target: Sendable, Equatable {
    /// Standard error.
    case standardError
    /// Standard output.
    case standardOutput
    /// A regular file, made with mode 0640 when it is missing, appended to.
    case file(String, FileOptions = FileOptions())
    /// A syslog daemon.
    case syslog(SyslogTarget, SyslogOptions = SyslogOptions())
    /// systemd's journal, at the socket of this path. Of the options only facility and application count.
    case journald(path: String = "/run/systemd/journal/socket", SyslogOptions = SyslogOptions())
    /// Nothing: records are read, counted and forgotten.
    case null
  }

  /// What it writes to.
  public var target: Target
  /// The format; nil: console on a terminal, JSON otherwise. Of syslog and the journal it is the format of the text in the message; nil: text and fields each
  /// in their place.
  public var format: LogFormat?
  /// Records below this level are left out of this sink.
  public var level: Level

  /// A sink; see the static functions for the usual ones.
  public init(target: Target, format: LogFormat? = nil, level: Level = .trace) {
    self.target = target
    self.format = format
    self.level = level
  }

  /// Standard error.
  public static func standardError(format: LogFormat? = nil, level: Level = .trace) -> Self {
    Self(target: .standardError, format: format, level: level)
  }
  /// Standard output.
  public static func standardOutput(format: LogFormat? = nil, level: Level = .trace) -> Self {
    Self(target: .standardOutput, format: format, level: level)
  }
  /// A file. While one process writes it, its records survive that process's death exactly once (`treering recover`).
  ///
  /// - Parameters:
  ///   - rotation: when the file is put aside for a new one, and how many are kept; nil: it is followed when others do that.
  ///   - durability: when its bytes are asked to be on the disk.
  public static func file(
    _ path: String, rotation: FileRotation? = nil, durability: FileDurability = .system, format: LogFormat? = nil,
    level: Level = .trace
  ) -> Self {
    Self(target: .file(path, FileOptions(rotation: rotation, durability: durability)), format: format, level: level)
  }
  /// A syslog daemon: of this machine unless told otherwise.
  public static func syslog(
    _ target: SyslogTarget = .local(path: "/dev/log"), options: SyslogOptions = SyslogOptions(),
    format: LogFormat? = nil, level: Level = .trace
  ) -> Self {
    Self(target: .syslog(target, options), format: format, level: level)
  }
  /// systemd's journal.
  ///
  /// - Parameter application: `SYSLOG_IDENTIFIER`; nil: the program's file name.
  public static func journald(application: String? = nil, level: Level = .trace) -> Self {
    Self(target: .journald(SyslogOptions(application: application)), level: level)
  }
  /// Nowhere.
  public static var null: Self { Self(target: .null) }
}
