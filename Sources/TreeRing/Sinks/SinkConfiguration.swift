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
  /// Nowhere.
  public static var null: Self { Self(target: .null) }
}
