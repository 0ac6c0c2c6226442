import Glibc
import Testing

@testable import ProcessSupervisor

private let crash = ProcessStatus.signaled(signal: SIGILL, coreDumped: false)
private let clean = ProcessStatus.exited(code: 0)
private let terminated = ProcessStatus.signaled(signal: SIGTERM, coreDumped: false)
private let killed = ProcessStatus.signaled(signal: SIGKILL, coreDumped: false)

@Suite struct SupervisorStateTests {
  @Test func startsEveryWorker() {
    let story = SupervisorStory(workers: 3)
    let actions = story.at(0, .start)
    #expect(actions.spawns == [0, 1, 2])
    #expect(actions.reports == (0..<3).map { .workerStarted(worker: $0, pid: 101 + Int32($0), restarts: 0) })
    #expect(story.state.deadline == nil)
  }

  @Test func theFirstDeathIsAnsweredAtOnce() {
    let story = SupervisorStory(workers: 2)
    story.at(0, .start)
    let actions = story.at(12_500, .exited(pid: 102, crash))
    let exit = WorkerExit(worker: 1, pid: 102, status: crash, uptime: .milliseconds(12_500), restarts: 0)
    #expect(
      actions == [
        .report(.workerCrashed(exit)), .spawn(worker: 1), .report(.workerStarted(worker: 1, pid: 103, restarts: 1)),
      ])
  }

  @Test func deathsInARowWaitLongerAndLonger() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(10, .exited(pid: 101, crash))
    var now: Duration = .milliseconds(20)
    for (death, delay) in [(2, 100), (3, 150), (4, 225)] {
      let actions = story.at(now, .exited(pid: story.lastPID, crash))
      #expect(
        actions.reports.last == .backingOff(worker: 0, delay: .milliseconds(delay), deathsInRow: death))
      #expect(story.state.deadline == now + .milliseconds(delay))
      #expect(story.at(now + .milliseconds(delay - 1), .tick).isEmpty)
      now += .milliseconds(delay)
      #expect(story.at(now, .tick).spawns == [0])
      now += .milliseconds(10)
    }
  }

  @Test(arguments: [(29_999, false), (30_000, true)])
  func thirtySecondsUpStartANewRow(uptime: Int, isNewRow: Bool) {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(1, .exited(pid: 101, crash))
    let actions = story.at(1 + uptime, .exited(pid: 102, crash))
    #expect(actions.spawns == (isNewRow ? [0] : []))
  }

  @Test func theEleventhDeathInTenSecondsStopsEverything() {
    let story = SupervisorStory(workers: 2, policy: RestartPolicy(initialDelay: .zero))
    story.at(0, .start)
    var pid: Int32 = 102
    for death in 1...10 {
      #expect(story.at(death * 900, .exited(pid: pid, crash)).spawns == [1])
      pid = story.lastPID
    }
    let last = story.at(9_999, .exited(pid: pid, crash))
    #expect(last.spawns.isEmpty)
    #expect(last.signals == ["15>101"])
    #expect(last.reports.suffix(2) == [.gaveUp(deaths: 11, period: .seconds(10)), .stopping(workers: 1)])
    #expect(last.exitCode == nil)
    #expect(story.at(10_050, .exited(pid: 101, clean)).exitCode == 1)
  }

  @Test func elevenDeathsInMoreThanTenSecondsAreBorne() {
    let story = SupervisorStory(policy: RestartPolicy(initialDelay: .zero))
    story.at(0, .start)
    for death in 1...100 { #expect(story.at(death * 1000, .exited(pid: story.lastPID, crash)).spawns == [0]) }
  }

  @Test func aWorkerThatNeverComesUpExhaustsTheLimitDespiteItsPauses() {
    let story = SupervisorStory()
    story.at(0, .start)
    var reports: [SupervisorEvent] = []
    while reports.last != .stopped(code: 1), story.now < .seconds(60) {
      reports += story.at(story.now, .exited(pid: story.lastPID, .exited(code: 1))).reports
      if let deadline = story.state.deadline { reports += story.at(deadline, .tick).reports }
    }
    #expect(reports.contains(.gaveUp(deaths: 11, period: .seconds(10))))
    #expect(story.now < .seconds(8))
  }

  @Test func aCleanExitIsAnsweredButIsNoCrash() {
    let story = SupervisorStory()
    story.at(0, .start)
    let actions = story.at(100, .exited(pid: 101, clean))
    #expect(actions.spawns == [0])
    guard case .workerExited = actions.reports.first else {
      Issue.record("\(actions)")
      return
    }
  }

  @Test func aCleanExitInARowWaitsToo() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(1, .exited(pid: 101, clean))
    #expect(story.at(2, .exited(pid: 102, clean)).spawns.isEmpty)
  }

  @Test func aSignalFromOutsideIsACrash() {
    for status in [terminated, killed] {
      let story = SupervisorStory()
      story.at(0, .start)
      guard case .workerCrashed = story.at(1, .exited(pid: 101, status)).reports.first else {
        Issue.record("\(status) is no crash")
        continue
      }
    }
  }

  @Test func aReadyWorkerIsReportedOnce() {
    let story = SupervisorStory()
    story.at(0, .start)
    #expect(
      story.at(70, .ready(pid: 101)) == [.report(.workerReady(worker: 0, pid: 101, after: .milliseconds(70)))])
    #expect(story.at(80, .ready(pid: 101)).isEmpty)
  }

  @Test func strangersAreIgnored() {
    let story = SupervisorStory()
    story.at(0, .start)
    #expect(story.at(1, .exited(pid: 4711, crash)).isEmpty)
    #expect(story.at(1, .ready(pid: 4711)).isEmpty)
  }
}

@Suite struct SupervisorBootTests {
  @Test(arguments: [(64, 64), (78, 78), (126, 78), (127, 78)] as [(Int32, Int32)])
  func aWorkerThatCanNeverRunStopsTheSupervisor(status: Int32, code: Int32) {
    let story = SupervisorStory(workers: 2)
    story.at(0, .start)
    let actions = story.at(50, .exited(pid: 101, .exited(code: status)))
    let exit = WorkerExit(
      worker: 0, pid: 101, status: .exited(code: status), uptime: .milliseconds(50), restarts: 0)
    #expect(actions.reports == [.bootFailed(exit), .stopping(workers: 1)])
    #expect(actions.signals == ["15>102"])
    #expect(story.at(60, .exited(pid: 102, terminated)).exitCode == code)
  }

  @Test func afterBootTheSameCodeIsACrash() {
    let story = SupervisorStory()
    story.at(0, .start)
    #expect(story.at(5000, .exited(pid: 101, .exited(code: 78))).spawns == [0])
  }

  @Test func aReadyWorkerHasBooted() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(10, .ready(pid: 101))
    #expect(story.at(20, .exited(pid: 101, .exited(code: 78))).spawns == [0])
  }

  @Test func aProgramMissingAtARestartIsBeingReplaced() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(10_000, .exited(pid: 101, crash))
    #expect(story.at(10_001, .exited(pid: 102, .exited(code: 127))).reports.last?.isBackingOff == true)
  }

  @Test func aProgramThatCannotBeStartedStopsTheSupervisor() {
    let story = SupervisorStory(workers: 2)
    story.spawnErrors = [ENOENT, ENOENT]
    let actions = story.at(0, .start)
    #expect(
      actions.reports
        == [.spawnFailed(worker: 0, code: ENOENT), .stopping(workers: 0), .stopped(code: 78)])
    #expect(actions.last == .finish(code: 78))
  }

  @Test func aShortageIsADeath() {
    let story = SupervisorStory()
    story.spawnErrors = [EAGAIN, EAGAIN]
    let actions = story.at(0, .start)
    #expect(
      actions.reports
        == [
          .spawnFailed(worker: 0, code: EAGAIN), .spawnFailed(worker: 0, code: EAGAIN),
          .backingOff(worker: 0, delay: .milliseconds(100), deathsInRow: 2),
        ])
    #expect(story.at(100, .tick).spawns == [0])
  }
}

@Suite struct SupervisorStopTests {
  @Test func asksEveryWorkerAndEndsWithTheLast() {
    let story = SupervisorStory(workers: 2)
    story.at(0, .start)
    let actions = story.at(100, .stop)
    #expect(actions.signals == ["15>101", "15>102"])
    #expect(actions.reports == [.stopping(workers: 2)])
    #expect(story.at(200, .exited(pid: 101, clean)).exitCode == nil)
    let last = story.at(300, .exited(pid: 102, terminated))
    #expect(last.reports.last == .stopped(code: 0))
    #expect(last.exitCode == 0)
    #expect(story.at(400, .stop).isEmpty)
  }

  @Test func aStubbornWorkerIsKilledAfterTheGracePeriod() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(100, .stop)
    #expect(story.state.deadline == .milliseconds(10_100))
    #expect(story.at(10_099, .tick).isEmpty)
    let actions = story.at(10_100, .tick)
    #expect(actions == [.report(.workerKilled(worker: 0, pid: 101)), .signal(pid: 101, signal: SIGKILL)])
    #expect(story.state.deadline == nil)
    let last = story.at(10_101, .exited(pid: 101, killed))
    guard case .workerExited = last.reports.first else {
      Issue.record("\(last)")
      return
    }
    #expect(last.exitCode == 0)
  }

  @Test(arguments: [(0, false), (249, false), (250, true), (5000, true)])
  func aSecondStopHurriesUnlessItIsAnEchoOfTheFirst(later: Int, kills: Bool) {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(100, .stop)
    #expect(story.at(100 + later, .stop).signals == (kills ? ["9>101"] : []))
  }

  @Test func aWorkerThatCrashesWhileStoppingIsACrashAndStaysDead() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(100, .stop)
    let actions = story.at(110, .exited(pid: 101, crash))
    guard case .workerCrashed = actions.reports.first else {
      Issue.record("\(actions)")
      return
    }
    #expect(actions.spawns.isEmpty)
    #expect(actions.exitCode == 0)
  }

  @Test func aWorkerInItsPauseNeedsNoStopping() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(1, .exited(pid: 101, crash))
    story.at(2, .exited(pid: 102, crash))
    let actions = story.at(3, .stop)
    #expect(actions.exitCode == 0)
    #expect(story.state.deadline == nil)
  }

  @Test func aStopAfterOneDeathTooManyKeepsTheExitCode() {
    let story = SupervisorStory(workers: 2, policy: RestartPolicy(limit: 0))
    story.at(0, .start)
    story.at(10, .exited(pid: 101, crash))
    #expect(story.at(1000, .stop).signals.isEmpty)
    #expect(story.at(2000, .stop).signals == ["9>102"])
    #expect(story.at(2001, .exited(pid: 102, killed)).exitCode == 1)
  }
}

@Suite struct SupervisorReloadTests {
  @Test func replacesWorkersOneByOne() {
    let story = SupervisorStory(workers: 2)
    story.at(0, .start)
    let first = story.at(1000, .reload)
    #expect(first.spawns == [0])
    #expect(first.signals.isEmpty)
    #expect(story.state.deadline == .milliseconds(1500))
    #expect(story.at(1499, .tick).isEmpty)
    #expect(story.at(1500, .tick).signals == ["15>101"])
    let second = story.at(1600, .exited(pid: 101, terminated))
    #expect(second.spawns == [1])
    #expect(story.at(2100, .tick).signals == ["15>102"])
    let last = story.at(2200, .exited(pid: 102, clean))
    #expect(last.reports.last == .reloaded)
    #expect(story.live == [103, 104])
    #expect(story.state.deadline == nil)
  }

  @Test func aReadyWorkerNeedNotWait() {
    let story = SupervisorStory(expectsReady: true)
    story.at(0, .start)
    story.at(1000, .reload)
    #expect(story.at(1001, .ready(pid: 102)).signals == ["15>101"])
    #expect(story.at(1100, .exited(pid: 101, clean)).reports.last == .reloaded)
  }

  @Test func aLateWorkerGoesAndTheOldOneStays() {
    let story = SupervisorStory(workers: 2, expectsReady: true)
    story.at(0, .start)
    story.at(1000, .reload)
    #expect(story.at(30_999, .tick).isEmpty)
    let actions = story.at(31_000, .tick)
    #expect(actions == [.report(.reloadFailed(worker: 0, reason: .late)), .signal(pid: 103, signal: SIGTERM)])
    #expect(story.at(31_001, .exited(pid: 103, terminated)).spawns.isEmpty)
    #expect(story.live == [101, 102])
  }

  @Test(arguments: [crash, .exited(code: 78), clean])
  func aDeadNewWorkerLeavesTheOldOne(status: ProcessStatus) {
    let story = SupervisorStory(workers: 2)
    story.at(0, .start)
    story.at(1000, .reload)
    let actions = story.at(1010, .exited(pid: 103, status))
    #expect(actions.reports.last == .reloadFailed(worker: 0, reason: .died(status)))
    #expect(actions.signals.isEmpty)
    #expect(actions.spawns.isEmpty)
    #expect(story.state.deadline == nil)
  }

  @Test func aNewWorkerThatCannotBeStartedLeavesTheOldOne() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.spawnErrors = [ENOENT]
    let actions = story.at(1000, .reload)
    #expect(actions.reports.last == .reloadFailed(worker: 0, reason: .notStarted(code: ENOENT)))
    #expect(actions.exitCode == nil)
    #expect(story.live == [101])
  }

  @Test func whenTheOldWorkerDiesTheNewOneTakesItsPlace() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(1000, .reload)
    let death = story.at(1100, .exited(pid: 101, crash))
    #expect(death.spawns.isEmpty)
    #expect(story.at(1500, .tick).reports == [.reloaded])
    #expect(story.at(1600, .exited(pid: 102, crash)).spawns == [0])
  }

  @Test func whenBothDieTheWorkerComesBack() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(1000, .reload)
    story.at(1100, .exited(pid: 101, crash))
    let actions = story.at(1200, .exited(pid: 102, crash))
    #expect(actions.reports.contains(.reloadFailed(worker: 0, reason: .died(crash))))
    #expect(actions.reports.last?.isBackingOff == true)
  }

  @Test func askedAgainMeanwhileItGoesOnceMore() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(1000, .reload)
    story.at(1001, .reload)
    story.at(1002, .reload)
    story.at(1500, .tick)
    let actions = story.at(1510, .exited(pid: 101, clean))
    #expect(
      actions.reports.prefix(3) == [
        .workerExited(
          WorkerExit(worker: 0, pid: 101, status: clean, uptime: .milliseconds(1510), restarts: 0)),
        .reloaded, .reloading,
      ])
    story.at(2010, .tick)
    #expect(story.at(2020, .exited(pid: 102, clean)).reports.last == .reloaded)
    #expect(story.live == [103])
  }

  @Test func aStubbornOldWorkerIsKilled() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(1000, .reload)
    story.at(1500, .tick)
    #expect(story.at(11_500, .tick).signals == ["9>101"])
    #expect(story.at(11_501, .exited(pid: 101, killed)).reports.last == .reloaded)
  }

  @Test func aPausingWorkerIsPassedOver() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(1, .exited(pid: 101, crash))
    story.at(2, .exited(pid: 102, crash))
    #expect(story.at(3, .reload).reports == [.reloading, .reloaded])
    #expect(story.at(102, .tick).spawns == [0])
  }

  @Test func aStopEndsIt() {
    let story = SupervisorStory()
    story.at(0, .start)
    story.at(1000, .reload)
    #expect(story.at(1001, .stop).signals == ["15>101", "15>102"])
    story.at(1002, .exited(pid: 101, clean))
    #expect(story.at(1003, .exited(pid: 102, clean)).exitCode == 0)
  }
}

/// Any order of events, from many seeds: what must always hold.
@Suite struct SupervisorStateModelTests {
  @Test(arguments: 0..<200 as Range<UInt64>)
  func holdsItsInvariants(seed: UInt64) {
    var random = SplitMix(state: seed)
    let workers = Int.random(in: 1...4, using: &random)
    let story = SupervisorStory(
      workers: workers, policy: RestartPolicy(limit: Bool.random(using: &random) ? 10 : .max),
      expectsReady: Bool.random(using: &random))
    var now: Duration = .zero
    var finished = story.at(now, .start).exitCode != nil
    for step in 0..<400 where !finished {
      now = step < 300 ? nextTime(after: now, story, &random) : (story.state.deadline ?? now)
      let event: SupervisorState.Event = step < 300 ? anyEvent(story, &random) : ending(story, step)
      finished = story.at(now, event).exitCode != nil
      // Work that is due has been done: otherwise the loop would spin.
      if let deadline = story.state.deadline { #expect(deadline > now, "seed \(seed), step \(step), \(event)") }
      // Every worker has at most a current process, one on trial, and those on their way out.
      let leaving = story.state.slots.reduce(0) { $0 + $1.retiring.count }
      #expect(story.live.count - leaving <= workers + 1, "seed \(seed), step \(step)")
    }
    #expect(finished, "seed \(seed)")
    #expect(story.live.isEmpty, "seed \(seed)")
    #expect(story.state.deadline == nil, "seed \(seed)")
  }

  private func nextTime(after now: Duration, _ story: SupervisorStory, _ random: inout SplitMix) -> Duration {
    if let deadline = story.state.deadline, Bool.random(using: &random) { return max(now, deadline) }
    return now + .milliseconds(Int.random(in: 0...2000, using: &random))
  }

  private func anyEvent(_ story: SupervisorStory, _ random: inout SplitMix) -> SupervisorState.Event {
    let pid = story.live.randomElement(using: &random) ?? 4711
    switch Int.random(in: 0..<20, using: &random) {
    case 0...5: return .tick
    case 6...8: return .ready(pid: pid)
    case 9...13:
      return .exited(pid: pid, [crash, clean, terminated, .exited(code: 1)].randomElement(using: &random) ?? crash)
    case 14...18: return .reload
    default: return Int.random(in: 0..<40, using: &random) == 0 ? .stop : .tick
    }
  }

  /// Stop, then let everything die: it must come to an end.
  private func ending(_ story: SupervisorStory, _ step: Int) -> SupervisorState.Event {
    if step == 300 { return .stop }
    return story.live.first.map { .exited(pid: $0, clean) } ?? .tick
  }
}

extension SupervisorEvent {
  fileprivate var isBackingOff: Bool { if case .backingOff = self { true } else { false } }
}

/// A small generator that gives the same numbers for the same seed.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
