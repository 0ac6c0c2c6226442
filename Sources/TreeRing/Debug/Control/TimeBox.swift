/// A value, and what it falls back to when a time limit is over. Pure: time comes in, in nanoseconds of any clock that does not step.
///
/// The first change with a time limit remembers what was before; later ones move the end and keep that memory, so that a row of boxes falls back to where
/// things stood before the first. A change without a limit is made to both, so that it stays and takes nothing else with it: a value that replaces ends the box,
/// one that is added is still there when the rest has fallen back.
struct TimeBox<Value: Equatable & Sendable>: Sendable {
  private(set) var value: Value
  /// What comes back; nil while nothing is limited.
  private(set) var before: Value?
  private(set) var end: UInt64?

  init(_ value: Value) { self.value = value }

  /// This with a change that stays.
  func changed(_ change: (Value) -> Value) -> TimeBox {
    var next = TimeBox(change(value))
    if let before, let end, case let then = change(before), then != next.value { (next.before, next.end) = (then, end) }
    return next
  }

  /// This with a change that is taken back after so many seconds; nil: one that stays.
  func changed(forSeconds seconds: Int?, now: UInt64, _ change: (Value) -> Value) -> TimeBox {
    guard let seconds else { return changed(change) }
    var next = TimeBox(change(value))
    next.before = before ?? value
    next.end = now &+ UInt64(seconds) &* 1_000_000_000
    return next
  }

  /// What it is now: the value before, when the time is over.
  func fallingBack(now: UInt64) -> TimeBox {
    guard let end, now >= end, let before else { return self }
    return TimeBox(before)
  }

  /// Seconds until the end, one that has begun counted whole; nil when nothing is pending.
  func secondsLeft(now: UInt64) -> Int? { end.map { $0 > now ? Int(($0 - now - 1) / 1_000_000_000) + 1 : 0 } }

  /// For poll(2): milliseconds until the end, rounded up; -1, which waits for ever, when nothing is pending.
  func pollTimeout(now: UInt64) -> Int32 {
    guard let end else { return -1 }
    guard end > now else { return 0 }
    return Int32(clamping: (end - now) / 1_000_000 + 1)
  }
}
