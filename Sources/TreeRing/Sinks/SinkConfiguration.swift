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
    /// A FIFO, made with mode 0600 when it is missing. Its reader may come and go.
    case fifo(String)
    /// The standard input of a child process, given as its arguments; the first is the program, found on `PATH`. No shell is involved.
    case exec([String])
    /// Memory, for a test of a whole program to look at.
    case recorder(LogRecorder)
  }

  /// What it writes to.
  public var target: Target
  /// The format; nil: console on a terminal, JSON otherwise. Of syslog and the journal it is the format of the text in the message; nil: text and fields each
  /// in their place.
  public var format: LogFormat?
  /// Records below this level are left out of this sink.
  public var level: Level
  /// Only records whose label begins with one of these are for this sink; empty: all. `shop.*` covers `shop` as well.
  public var labels: [String] = []
  /// Bytes of formatted records that are kept for this sink while it fails and another one works. After that it loses its copy, and is told how many when it is
  /// back. While no sink works, records stay in the rings.
  public var backlog: Int = 1_048_576

  /// This sink for records of some labels only.
  public func only(labels: String...) -> Self {
    var copy = self
    copy.labels = labels
    return copy
  }

  /// This sink with another limit for what is kept while it fails, in bytes.
  public func keeping(backlog bytes: Int) -> Self {
    var copy = self
    copy.backlog = bytes
    return copy
  }

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
  /// A FIFO.
  public static func fifo(_ path: String, format: LogFormat? = nil, level: Level = .trace) -> Self {
    Self(target: .fifo(path), format: format, level: level)
  }
  /// A child process that reads records from its standard input. It is started again when it ends.
  public static func exec(_ arguments: [String], format: LogFormat? = nil, level: Level = .trace) -> Self {
    Self(target: .exec(arguments), format: format, level: level)
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
