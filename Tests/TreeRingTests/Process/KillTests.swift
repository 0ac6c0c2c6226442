import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// SIGKILL at a random moment, and then: is everything there, once?
///
/// `TREERING_KILLS` is the number of kills of each test.
@Suite(.serialized) struct KillTests {
  private let kills = environment("TREERING_KILLS", default: 20)
  private let threads = 4

  @Test func everyRecordOfAKilledProgramIsInItsFileOnce() throws {
    var random = SeededGenerator("kill")
    var settlements: [String: Int] = [:]
    for _ in 0..<kills {
      let run = try StormRun()
      try run.kill(threads: threads, afterMicroseconds: .random(in: 0..<60_000, using: &random))
      for settlement in try run.recover() { settlements[settlement, default: 0] += 1 }
      try run.checkStorm(StreamAccount(run.records()), threads: threads, seed: random.seed)
    }
    print("killed \(kills) times, unfinished batches: \(settlements)")
  }

  /// Nobody runs `treering recover`: the program is started again, and that start is killed, too, while it settles and writes what the first has left; the starts after it
  /// finish both.
  @Test func theNextStartFinishesTheFile() throws {
    var random = SeededGenerator("kill and start")
    var starts = 0
    for _ in 0..<kills {
      let run = try StormRun()
      try run.kill(threads: threads, afterMicroseconds: .random(in: 0..<60_000, using: &random))
      let left = run.ringFiles
      #expect(left.count == 1)
      let second = try run.start("1")
      usleep(.random(in: 0..<40_000, using: &random))
      second.kill(SIGKILL)
      second.wait()
      var successors: Set = [Int(second.pid)]
      while !run.ringFiles.isEmpty, successors.count < 20 {
        let next = try run.start("1", "10")
        #expect(next.wait() == .exit(0), "\(next.errors)")
        #expect(next.errors == "")
        successors.insert(Int(next.pid))
      }
      #expect(run.ringFiles == [], "seed \(random.seed)")
      starts += successors.count
      let records = try run.records()
      #expect(StreamAccount(records).faults == [], "seed \(random.seed)")
      let first = records.filter { $0.integer("pid").map { !successors.contains($0) } == true }
      try run.checkStorm(StreamAccount(first), threads: threads, seed: random.seed)
    }
    print("killed \(kills) times, and finished by \(starts) starts")
  }

  /// Rings so small that most calls find no room: what is dropped is told.
  @Test func dropsOfAKilledProgramAreTold() throws {
    var random = SeededGenerator("kill with drops")
    var dropped = 0
    for _ in 0..<max(kills / 4, 1) {
      let run = try StormRun(["TREERING_RING_SIZE": "64KiB"])
      try run.kill(threads: threads, afterMicroseconds: .random(in: 0..<30_000, using: &random)) {
        PacedRun.wait(for: "a drop") {
          run.ringFiles.contains { (try? RingSurvey(path: run.directory.file("rings/\($0)")))?.dropped ?? 0 > 0 }
        }
      }
      try run.recover()
      let account = try StreamAccount(run.records())
      try run.checkStorm(account, threads: threads, seed: random.seed)
      dropped += account.rings.values.reduce(0) { $0 + $1.dropped }
    }
    #expect(dropped > 0, "nothing was dropped: this proves nothing, seed \(random.seed)")
  }

  @Test func recoveryAfterRecoveryWritesNothing() throws {
    var random = SeededGenerator("recover twice")
    let run = try StormRun()
    try run.kill(threads: threads, afterMicroseconds: .random(in: 0..<60_000, using: &random))
    try run.recover()
    let first = try run.records().count
    #expect(try run.recover() == [])
    #expect(try run.records().count == first)
  }

  @Test func aCollectorTakesOverOnlyAfterDeath() throws {
    var random = SeededGenerator("collect late")
    for _ in 0..<kills {
      let run = try StormRun(["TREERING_WRITER": "external"])
      try run.kill(threads: threads, afterMicroseconds: .random(in: 0..<20_000, using: &random))
      try run.recover(into: run.log)
      try run.checkStorm(StreamAccount(run.records()), threads: threads, seed: random.seed)
    }
  }

  @Test func aLiveCollectorLosesNothingOfAKilledProgram() throws {
    var random = SeededGenerator("collect live")
    var whileAlive: UInt64 = 0
    for _ in 0..<kills {
      let run = try StormRun(["TREERING_WRITER": "external"])
      let delay = UInt64.random(in: 1_000_000..<60_000_000, using: &random)
      let child = try run.start("\(threads)", "", run.progressFile)
      #expect(child.readLine() == "ready", "\(child.errors)")
      let path = try #require(RingDirectory.files(in: run.directory.file("rings")).first)
      let collector = try RingCollector(path: path) { _ in [try FileSink(path: run.log)] }
      let end = Syscalls.now(CLOCK_MONOTONIC) + delay
      while Syscalls.now(CLOCK_MONOTONIC) < end { #expect(collector.step() != .finished) }
      whileAlive += collector.counters.records
      child.kill(SIGKILL)
      child.wait()
      while collector.step() != .finished {}
      try run.checkStorm(StreamAccount(run.records()), threads: threads, seed: random.seed)
    }
    #expect(whileAlive > 0, "a collector delivers while the program lives")
  }

  @Test func aKilledCollectorIsContinuedExactly() throws {
    var random = SeededGenerator("kill the collector")
    var settlements: [String: Int] = [:]
    for _ in 0..<max(kills / 5, 1) {
      let run = try StormRun(["TREERING_WRITER": "external"])
      let child = try run.start("\(threads)", "", run.progressFile)
      #expect(child.readLine() == "ready", "\(child.errors)")
      let path = try #require(RingDirectory.files(in: run.directory.file("rings")).first)
      for _ in 0..<5 {
        let collector = try run.start("collect", path, run.log)
        let attached = try #require(collector.readLine())
        #expect(attached.hasPrefix("attached "))
        settlements[attached, default: 0] += 1
        usleep(.random(in: 0..<20_000, using: &random))
        collector.kill(SIGKILL)
        collector.wait()
      }
      child.kill(SIGKILL)
      child.wait()
      // And killed while it finishes what the dead program left.
      let last = try run.start("collect", path, run.log)
      usleep(.random(in: 0..<20_000, using: &random))
      last.kill(SIGKILL)
      last.wait()
      try run.recover(into: run.log)
      try run.checkStorm(StreamAccount(run.records()), threads: threads, seed: random.seed)
    }
    print("collectors killed, then: \(settlements)")
  }

  /// A random moment rarely falls between the journal's entry and its end, so here the collector kills itself there: in a batch while the program
  /// lives, in one of what the dead program left, and in the closing records. The killed ones are continued by others that die, too.
  @Test(arguments: ["before", "half", "after"])
  func aBatchThatWasOnItsWayArrivesOnce(point: String) throws {
    let run = try StormRun(["TREERING_WRITER": "external", "TREERING_RING_SIZE": "64KiB"])
    let child = try run.start("\(threads)", "", run.progressFile)
    #expect(child.readLine() == "ready", "\(child.errors)")
    let path = try #require(RingDirectory.files(in: run.directory.file("rings")).first)
    let expected = point == "after" ? "attached arrived" : "attached undone"
    for batch in 1...4 {
      let collector = try run.start("collect", path, run.log, "\(batch)", point)
      #expect(collector.readLine() == (batch == 1 ? "attached clean" : expected))
      #expect(collector.wait() == .signal(SIGKILL))
    }
    child.kill(SIGKILL)
    child.wait()
    // What is left dies, too, batch by batch; the closing records are the last. Where a batch arrives nowhere, every second one dies.
    var settlements: [String] = []
    var ending = ChildProcess.Ending.signal(SIGKILL)
    while ending == .signal(SIGKILL), settlements.count < 100 {
      let collector = try run.start("collect", path, run.log, point == "after" ? "1" : "2", point)
      settlements.append(try #require(collector.readLine()))
      ending = collector.wait()
    }
    #expect(ending == .exit(0))
    #expect(settlements.count > 1)
    #expect(settlements.dropLast().allSatisfy { $0 == expected }, "\(settlements)")
    // After the death behind the closing records nothing is left to do but to take the file away.
    #expect(settlements.last == (point == "after" ? "attached finished" : expected))
    #expect(run.ringFiles == [])
    try run.checkStorm(StreamAccount(run.records()), threads: threads, seed: 0)
  }

  @Test func onlyOneConsumes() throws {
    let run = try StormRun()
    let child = try run.start("1", "", run.progressFile)
    #expect(child.readLine() == "ready")
    let path = try #require(RingDirectory.files(in: run.directory.file("rings")).first)
    #expect(throws: RingAttachment.Refusal.self) { try RingCollector(path: path) { _ in [] } }
    #expect(try RingAttachment(path: path, consumes: false).isProducerAlive)
    child.kill(SIGKILL)
    child.wait()
    #expect(try !RingAttachment(path: path, consumes: false).isProducerAlive)
    let first = try RingCollector(path: path) { _ in [NullSink()] }
    #expect(throws: RingAttachment.Refusal.self) { try RingCollector(path: path) { _ in [] } }
    _ = first.step()
  }
}
