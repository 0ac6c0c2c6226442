/// How much a record matters, in swift-log's words, from the least to the most.
@frozen
public enum Level: UInt8, Sendable, CaseIterable, Comparable {
  /// Every step, for tracing a path through the code.
  case trace
  /// What helps while debugging.
  case debug
  /// What a reader of an ordinary log wants to see.
  case info
  /// Unusual, but not an error.
  case notice
  /// Something may go wrong soon.
  case warning
  /// Something went wrong.
  case error
  /// The program, or a part of it, cannot go on.
  case critical

  /// The spelling in records and in `TREERING_LEVEL`.
  public var name: String { "\(spelling)" }

  /// The name without a string object.
  var spelling: StaticString {
    switch self {
    case .trace: "trace"
    case .debug: "debug"
    case .info: "info"
    case .notice: "notice"
    case .warning: "warning"
    case .error: "error"
    case .critical: "critical"
    }
  }

  /// The level called `name`, or nil. `warn` and upper case are understood too.
  public init?(name: some StringProtocol) {
    let lowered = name.lowercased()
    guard let level = Self.allCases.first(where: { $0.name == lowered }) ?? (lowered == "warn" ? .warning : nil) else {
      return nil
    }
    self = level
  }

  /// By severity.
  @inlinable
  public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
}
