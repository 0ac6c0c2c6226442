extension StreamNotice {
  /// A value of a notice.
  enum Value {
    case number(UInt64)
    case text(String)
    /// Nanoseconds since 1970.
    case time(UInt64)
  }

  /// The number that the notice takes in its ring; nil: it takes none.
  var sequence: UInt64? {
    switch self {
    case .processClosed(_, _, let number): number
    case .ringClosed(let committed, _): committed
    default: nil
    }
  }

  /// What it says beside its message, for formats without nesting: the names of the JSON record. Notices are rare, so this may allocate.
  var fields: [(name: String, value: Value)] {
    switch self {
    case .dropped(let cause, let byLevel, let total, let first, let last):
      let count = byLevel.reduce(0) { $0 &+ $1.1 }
      return Self.dropped(count, total, cause.name) + Self.levels("treering.levels", byLevel)
        + [("treering.first", .time(first)), ("treering.last", .time(last))]
    case .lost(let byLevel, let count, let total):
      return Self.dropped(count, total, "no ring") + Self.levels("treering.levels_total", byLevel)
    case .unreadable(let bytes, let sequence):
      return [("treering.bytes", .number(bytes)), ("treering.from", .number(sequence))]
    case .processClosed(let rings, let lost, _):
      return [("treering.rings", .number(UInt64(rings))), ("treering.dropped", .number(lost))]
    case .ringClosed(let committed, let dropped):
      return [("treering.committed", .number(committed)), ("treering.dropped", .number(dropped))]
    }
  }

  private static func dropped(_ count: UInt64, _ total: UInt64, _ cause: String) -> [(name: String, value: Value)] {
    [
      ("treering.dropped", .number(count)), ("treering.dropped_total", .number(total)),
      ("treering.cause", .text(cause)),
    ]
  }

  private static func levels(_ name: String, _ byLevel: [(Level, UInt64)]) -> [(name: String, value: Value)] {
    byLevel.map { ("\(name).\($0.0.name)", .number($0.1)) }
  }
}
