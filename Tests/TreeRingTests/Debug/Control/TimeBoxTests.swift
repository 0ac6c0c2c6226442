import Testing

@testable import TreeRing

/// A change with a time limit, without a clock.
@Suite struct TimeBoxTests {
  private let second: UInt64 = 1_000_000_000

  @Test func nothingPendingWaitsForEver() {
    var box = TimeBox<String>()
    #expect(box.pollTimeout(now: 5) == -1)
    #expect(box.fallBack(now: .max) == nil)
    box.change(from: "before", forSeconds: nil, now: 5)
    #expect(box.pollTimeout(now: 5) == -1)
  }

  @Test func fallsBackOnceWhenItsTimeIsOver() {
    var box = TimeBox<String>()
    box.change(from: "before", forSeconds: 2, now: 10 * second)
    #expect(box.fallBack(now: 12 * second - 1) == nil)
    #expect(box.fallBack(now: 12 * second) == "before")
    #expect(box.fallBack(now: 13 * second) == nil)
    #expect(box.pollTimeout(now: 13 * second) == -1)
  }

  /// It never wakes up too early, which would be a second wake-up.
  @Test func sleepsUntilTheEnd() {
    var box = TimeBox<String>()
    box.change(from: "before", forSeconds: 2, now: 0)
    for now in [0, 1, 999_999, second, 2 * second - 1] {
      #expect(now + UInt64(box.pollTimeout(now: now)) * 1_000_000 >= 2 * second)
    }
    #expect(box.pollTimeout(now: 2 * second) == 0)
    box.change(from: "before", forSeconds: ControlCommand.longest, now: 0)
    #expect(box.pollTimeout(now: 0) == .max, "the longest sleep that poll knows; then it sleeps again")
  }

  @Test func aRowOfBoxesFallsBackToWhereItBegan() {
    var box = TimeBox<String>()
    box.change(from: "first", forSeconds: 10, now: 0)
    box.change(from: "second", forSeconds: 10, now: 5 * second)
    #expect(box.fallBack(now: 10 * second) == nil)
    #expect(box.fallBack(now: 15 * second) == "first")
  }

  @Test func aChangeThatStaysForgetsTheBox() {
    var box = TimeBox<String>()
    box.change(from: "first", forSeconds: 10, now: 0)
    box.change(from: "second", forSeconds: nil, now: 1)
    #expect(box.fallBack(now: .max) == nil)
  }
}
