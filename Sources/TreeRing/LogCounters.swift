/// What a process's logging has done, from its rings' headers.
public struct LogCounters: Sendable, Equatable {
  /// Records committed to rings.
  public var emitted: UInt64 = 0
  /// Records that have left the rings: written by the writer thread, or taken by a collector.
  public var written: UInt64 = 0
  /// Calls that left no record, by cause and level.
  public var dropped: [Drop] = []
  /// Records that were too large and lost their end.
  public var truncated: UInt64 = 0
  /// Failed writes, and failed attempts to open a sink again.
  public var sinkErrors: UInt64 = 0
  /// Copies of records that one sink of several has not got, because it failed for too long.
  public var withheld: UInt64 = 0
  /// Records that a call has held back since the process began: beyond a limit, not sampled, or repeated. They are in no other number.
  public var suppressed: UInt64 = 0
  /// Rings made so far.
  public var rings = 0
  /// Most bytes that ever waited in one ring; what comes near the ring's size is soon dropped.
  public var highWater: UInt64 = 0

  package init() {}

  /// One counter of ``dropped``.
  public struct Drop: Sendable, Equatable {
    /// Why, as notices name it: `ring full`, `calls nested too deep`, or `no ring` for the calls of threads that could get none.
    public var cause: String
    /// Of which level.
    public var level: Level
    /// How many.
    public var count: UInt64

    package init(cause: String, level: Level, count: UInt64) {
      self.cause = cause
      self.level = level
      self.count = count
    }
  }

  mutating func add(_ byLevel: [(Level, UInt64)], _ cause: String) {
    dropped += byLevel.map { Drop(cause: cause, level: $0.0, count: $0.1) }
  }

  /// All drops together.
  public var droppedTotal: UInt64 { dropped.reduce(0) { $0 &+ $1.count } }
}
