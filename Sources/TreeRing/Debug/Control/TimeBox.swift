/// A change that is taken back when its time is over. Pure: time comes in, in nanoseconds of any clock that does not step.
///
/// The first change with a time limit remembers what was before; later ones move the end and keep that memory, so that a row of boxes falls back to where
/// things stood before the first. A change without a limit stays, and forgets it.
struct TimeBox<Before> {
  private(set) var before: Before?
  private(set) var end: UInt64?

  init() {}

  /// A change is made now: `before` is what it replaces.
  mutating func change(from before: Before, forSeconds seconds: Int?, now: UInt64) {
    guard let seconds else {
      self = TimeBox()
      return
    }
    self.before = self.before ?? before
    end = now &+ UInt64(seconds) &* 1_000_000_000
  }

  /// What has to be put back, once: nil while the time is not over.
  mutating func fallBack(now: UInt64) -> Before? {
    guard let end, now >= end, let before else { return nil }
    self = TimeBox()
    return before
  }

  /// For poll(2): milliseconds until the end, rounded up; -1, which waits for ever, when nothing is pending.
  func pollTimeout(now: UInt64) -> Int32 {
    guard let end else { return -1 }
    guard end > now else { return 0 }
    return Int32(clamping: (end - now) / 1_000_000 + 1)
  }
}
