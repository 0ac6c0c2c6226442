/// One destination of the writer thread.
public struct SinkConfiguration: Sendable, Equatable {
  /// What it writes to.
  public enum Target: Sendable, Equatable {
    /// Standard error.
    case standardError
    /// Standard output.
    case standardOutput
    /// A regular file, made with mode 0640 when it is missing, appended to.
    case file(String)
    /// Nothing: records are read, counted and forgotten.
    case null
  }

  /// What it writes to.
  public var target: Target
  /// The format; nil: console on a terminal, JSON otherwise.
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
  public static func file(_ path: String, format: LogFormat? = nil, level: Level = .trace) -> Self {
    Self(target: .file(path), format: format, level: level)
  }
  /// Nowhere.
  public static var null: Self { Self(target: .null) }
}
