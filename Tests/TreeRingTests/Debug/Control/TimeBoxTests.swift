import Testing

@testable import TreeRing

/// A change with a time limit, without a clock.
@Suite struct TimeBoxTests {
  private let second: UInt64 = 1_000_000_000
  private let box = TimeBox(["first"])

  private func replaced(_ box: TimeBox<[String]>, _ value: String, for seconds: Int?, at now: UInt64) -> TimeBox<
    [String]
  > {
    box.changed(forSeconds: seconds, now: now) { _ in [value] }
  }

  @Test func nothingPendingWaitsForEver() {
    #expect(box.pollTimeout(now: 5) == -1)
    #expect(box.fallingBack(now: .max).value == ["first"])
    let changed = replaced(box, "second", for: nil, at: 5)
    #expect(changed.pollTimeout(now: 5) == -1)
    #expect(changed.fallingBack(now: .max).value == ["second"])
  }

  @Test func fallsBackOnceWhenItsTimeIsOver() {
    var box = replaced(box, "second", for: 2, at: 10 * second)
    #expect(box.fallingBack(now: 12 * second - 1).value == ["second"])
    box = box.fallingBack(now: 12 * second)
    #expect(box.value == ["first"])
    #expect(box.before == nil && box.secondsLeft(now: 0) == nil && box.pollTimeout(now: 13 * second) == -1)
  }

  /// It never wakes up too early, which would be a second wake-up.
  @Test func sleepsUntilTheEnd() {
    let two = replaced(box, "second", for: 2, at: 0)
    for now in [0, 1, 999_999, second, 2 * second - 1] {
      #expect(now + UInt64(two.pollTimeout(now: now)) * 1_000_000 >= 2 * second)
    }
    #expect(two.pollTimeout(now: 2 * second) == 0)
    let longest = replaced(box, "second", for: ControlCommand.longest, at: 0)
    #expect(longest.pollTimeout(now: 0) == .max, "the longest sleep that poll knows; then it sleeps again")
  }

  @Test func aRowOfBoxesFallsBackToWhereItBegan() {
    let box = replaced(replaced(box, "second", for: 10, at: 0), "third", for: 10, at: 5 * second)
    #expect(box.fallingBack(now: 10 * second).value == ["third"])
    #expect(box.fallingBack(now: 15 * second).value == ["first"])
  }

  @Test func aReplacementThatStaysEndsTheBox() {
    let box = replaced(replaced(box, "second", for: 10, at: 0), "third", for: nil, at: 1)
    #expect(box.end == nil)
    #expect(box.fallingBack(now: .max).value == ["third"])
  }

  /// What is added for good during a box outlives it, and takes nothing of the box with it.
  @Test func anAdditionThatStaysOutlivesTheBox() {
    let box = replaced(box, "second", for: 10, at: 0).changed { $0 + ["added"] }
    #expect(box.value == ["second", "added"])
    #expect(box.fallingBack(now: 10 * second).value == ["first", "added"])
  }
}

struct TimeBoxCountdownTests {
  @Test(arguments: [(0, 10), (1, 10), (9_000_000_000, 1), (9_999_999_999, 1), (10_000_000_000, 0), (11_000_000_000, 0)])
  func aSecondThatHasBegunCounts(now: UInt64, left: Int) {
    let box = TimeBox(0).changed(forSeconds: 10, now: 0) { _ in 1 }
    #expect(box.secondsLeft(now: now) == left)
  }
}

/// The same for what a process logs: channels and levels fall back apart.
@Suite struct TimedPolicyTests {
  private let second: UInt64 = 1_000_000_000
  private let policy = LogPolicy(level: .info, rules: [], filter: DebugFilter(parsing: "a"))

  private func levels(_ level: Level) -> (LogPolicy.Levels) -> LogPolicy.Levels { { _ in .init(level: level) } }

  /// Whatever is done while a box runs, without a limit or with one, what the box has changed is taken back.
  @Test func aSecondChangeMakesNoFirstOnePermanent() {
    let boxed = policy.changingFilter(forSeconds: 10, now: 0) { _ in DebugFilter(parsing: "*") }
    for seconds in [nil, 5] {
      let both = boxed.changingLevels(forSeconds: seconds, now: second, levels(.trace))
      #expect(both.filter.spec == "*" && both.level == .trace)
      let after = both.fallingBack(now: 10 * second)
      #expect(after.filter.spec == "a" && after.level == (seconds == nil ? .trace : .info))
    }
    let reversed = policy.changingLevels(forSeconds: 10, now: 0, levels(.trace)).with(DebugFilter(parsing: "b"))
    let after = reversed.fallingBack(now: 10 * second)
    #expect(after.level == .info && after.filter.spec == "b")
    let added = boxed.changingFilter { DebugFilter(parsing: $0.spec + ",c") }
    #expect(added.filter.spec == "*,c" && added.fallingBack(now: 10 * second).filter.spec == "a,c")
  }

  @Test func theNearerEndIsWaitedFor() {
    let both = policy.changingFilter(forSeconds: 10, now: 0) { $0 }.changingLevels(
      forSeconds: 2, now: 0, levels(.trace))
    #expect(both.pollTimeout(now: 0) == 2001)
    #expect(!both.isOverdue(now: 2 * second - 1) && both.isOverdue(now: 2 * second))
    #expect(both.fallingBack(now: 2 * second).pollTimeout(now: 2 * second) == 8001)
    #expect(policy.pollTimeout(now: 0) == -1 && !policy.isOverdue(now: .max - 1))
  }

  @Test func theProgramsOwnChangesOutliveABox() {
    let boxed = policy.changingLevels(forSeconds: 10, now: 0, levels(.trace))
      .changingLevels { $0.setting(.error, forPrefix: "http") }.overriding("b", true)
    let after = boxed.fallingBack(now: 10 * second)
    #expect(after.level == .info && after.levelRules == [.init(prefix: "http", level: .error)])
    #expect(after.allowsChannel("b"))
  }

  /// A start takes back what its configuration says otherwise than the one before, and nothing else.
  @Test func aStartKeepsWhatWasChangedMeanwhile() {
    let last = LogConfiguration(level: .info, debug: "a")
    let changed = policy.with(DebugFilter(parsing: "x")).overriding("b", true)
      .changingLevels { $0.setting(.debug, forPrefix: "shop") }
    let same = changed.restarting(last, after: last)
    #expect(same.filter.spec == "x" && same.levelRules.count == 1 && same.allowsChannel("b"))
    let louder = changed.restarting(LogConfiguration(level: .trace, debug: "a"), after: last)
    #expect(louder.filter.spec == "x" && louder.level == .trace && louder.levelRules == [])
    let other = changed.restarting(LogConfiguration(level: .info, debug: "y"), after: last)
    #expect(other.filter.spec == "y" && other.levelRules.count == 1 && other.allowsChannel("b"))
    let boxed = policy.changingLevels(forSeconds: 10, now: 0, levels(.trace)).restarting(last, after: last)
    #expect(boxed.level == .trace && boxed.fallingBack(now: 10 * second).level == .info)
  }
}
