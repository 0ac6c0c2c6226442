import CTreeRing

/// What one sink has missed of one ring and has not told yet: a stretch of its records, and notices of its drops.
struct RingLoss {
  /// Number of the first record that is missing, and of the one behind the last.
  var first: UInt64
  var end: UInt64
  /// How many of them passed the sink's filter.
  var count: UInt64 = 0
  /// The same by level; empty when it is not known, of a loss that a predecessor left.
  var byLevel = [UInt64](repeating: 0, count: Int(TR_LEVELS))
  /// Times of the first and the last of them, nanoseconds since 1970.
  var times: ClosedRange<UInt64>?
  /// Drops that the stream was told of meanwhile, by cause and level.
  var drops: [UInt64] = []
  /// When they were, by cause.
  var dropTimes: [Int: ClosedRange<UInt64>] = [:]
  /// Drops of which a predecessor's sink was not told.
  var untold: UInt64 = 0

  var droppedTotal: UInt64 { drops.reduce(untold, &+) }

  /// Adds what came after it.
  mutating func add(_ later: RingLoss) {
    end = max(end, later.end)
    count &+= later.count
    for level in byLevel.indices { byLevel[level] &+= later.byLevel[level] }
    if let added = later.times { times = times.map { Self.hull($0, added) } ?? added }
    if drops.isEmpty {
      drops = later.drops
    } else {
      for cell in later.drops.indices { drops[cell] &+= later.drops[cell] }
    }
    dropTimes.merge(later.dropTimes, uniquingKeysWith: Self.hull)
  }

  static func hull(_ one: ClosedRange<UInt64>, _ other: ClosedRange<UInt64>) -> ClosedRange<UInt64> {
    min(one.lowerBound, other.lowerBound)...max(one.upperBound, other.upperBound)
  }

  /// The notice of its records; nil when none of them was for this sink.
  var withheld: StreamNotice? {
    guard count > 0, end > first else { return nil }
    let known = Level.allCases.compactMap { level in
      byLevel[Int(level.rawValue)] > 0 ? (level, byLevel[Int(level.rawValue)]) : nil
    }
    return .withheld(.init(sequences: first...(end - 1), count: count, byLevel: known, times: times))
  }
}
