import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// The ends of processes and threads.
@Suite struct LifetimeTests {
  @Test func aNormalEndDeliversEverythingAndLeavesNothing() throws {
    let run = try StormRun(["TREERING_RING_SIZE": "16MiB"])
    try run.finish("4", "2000", run.progressFile)
    let account = try StreamAccount(run.records())
    try run.checkStorm(account, threads: 4, seed: 0)
    #expect(account.records.count == 8001)
    #expect(run.ringFiles == [])
  }

  @Test func ringsOfEndedThreadsAreUsedAgain() throws {
    let run = try StormRun()
    let rings = try run.finish("threads", "300")
    let count = try #require(Int(rings.prefix { $0.isNumber }))
    #expect(count <= 3, "300 threads, one after the other, need no more rings")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    #expect(account.records.map { $0.msg } == (0..<300).map { "thread \($0) lives" })
  }

  /// Calls that return while logging stops, and after that: in the file, or in a ring file for recovery, each once.
  @Test(arguments: [1, 3])
  func nothingIsLostAroundStop(stops: Int) throws {
    for _ in 0..<environment("TREERING_STOPS", default: 5) {
      let run = try StormRun()
      let output = try run.finish("stop", "4", run.progressFile, "\(stops)")
      #expect(output == "done\n")
      let before = try StreamAccount(run.records()).records.count
      try run.recover()
      let account = try StreamAccount(run.records())
      #expect(account.faults == [])
      #expect(account.records.count > before, "calls after the stop leave their records for recovery")
      let returned = try run.returnedCalls(threads: 4)
      let dropped = account.rings.values.reduce(account.lost) { $0 + $1.dropped }
      #expect(dropped == 0)
      for thread in 0..<4 {
        let numbers = account.records.filter { $0.integer("thread") == thread }.compactMap { $0.integer("number") }
        let lost = Set(0..<returned[thread]).subtracting(numbers)
        let repeated = Dictionary(grouping: numbers) { $0 }.filter { $1.count > 1 }.keys
        #expect(lost.isEmpty, "thread \(thread), of \(returned[thread]) calls")
        #expect(repeated.isEmpty, "thread \(thread), of \(returned[thread]) calls")
      }
    }
  }

  /// A closed ring file keeps no descriptor, though threads may be about to make a ring in it.
  @Test func stopsLeaveNoDescriptorOpen() throws {
    let run = try StormRun()
    let counts = try run.finish("stops", "60").split(separator: "\n").compactMap { Int($0) }
    #expect(counts.count == 2)
    #expect(counts[1] <= counts[0], "after 5 and 60 stops: \(counts)")
    try run.recover()
    let account = try StreamAccount(run.records())
    #expect(account.faults == [] && account.lost == 0)
    #expect(account.records.filter { $0.msg?.hasPrefix("before stop") == true }.count == 60)
  }

  @Test func aForkedChildNeitherRepeatsNorTouchesItsParentsRecords() throws {
    for _ in 0..<environment("TREERING_FORKS", default: 10) {
      let run = try StormRun()
      let pids = try run.finish("fork", "4").split { !$0.isNumber }.compactMap { Int($0) }
      try run.recover()
      let account = try StreamAccount(run.records())
      #expect(account.faults == [])
      #expect(pids.count == 6)
      let parent = pids[0]
      #expect(Set(account.records.compactMap { $0.integer("pid") }) == Set(pids))
      let inside = account.records.filter { $0["before"] != nil }
      #expect(Set(inside.compactMap { $0.integer("pid") }) == [parent, pids[5]], "each has its own record of the call")
      #expect(inside.allSatisfy { ($0.integer("parent") == 1) == ($0.integer("pid") == parent) }, "\(inside)")
      #expect(inside.count == 2)
      let messages = account.records.filter { $0["before"] == nil }
      for record in messages {
        let isParents = record.msg?.hasPrefix("parent") == true
        #expect((record.integer("pid") == parent) == isParents, "\(record)")
      }
      let texts = messages.map { $0.msg ?? "" }
      #expect(Set(texts).count == texts.count, "nothing twice")
      #expect(texts.filter { $0.hasPrefix("parent") }.count == 100 + 4 * 50)
      for child in 0..<5 {
        let own = messages.filter { $0.msg?.hasPrefix("child \(child):") == true }
        #expect(own.count == 50, "child \(child)")
        #expect(Set(own.map { $0.integer("pid") }) == [pids[1 + child]])
      }
    }
  }

  /// A child that outlives its parent does not keep the parent's rings from recovery, whether it ever logs or not.
  @Test func anOrphanDoesNotHoldItsParentsRings() throws {
    let run = try StormRun()
    let parent = try run.start("orphan")
    let child = try #require(parent.readLine().flatMap { pid_t($0) }, "\(parent.errors)")
    defer { kill(child, SIGKILL) }
    parent.kill(SIGKILL)
    parent.wait()
    #expect(kill(child, 0) == 0, "the child lives")
    let path = try #require(RingDirectory.files(in: run.directory.file("rings")).first)
    // The child may not have come out of fork yet; it lives for a minute, so a lock that it kept would outlast this.
    for _ in 0..<500 where try RingAttachment(path: path, consumes: false).isProducerAlive { usleep(10_000) }
    #expect(try !RingAttachment(path: path, consumes: false).isProducerAlive)
    try run.recover()
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    #expect(account.records.count == 51)
  }

  @Test func levelsOfLabelsAndChannels() throws {
    let run = try StormRun(["TREERING_LEVEL": "warning,shop=error,shop.db*=trace,http=info", "DEBUG": "shop:*"])
    try run.finish("levels")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    func levels(_ label: String) -> [String] { account.records.filter { $0.logger == label }.compactMap { $0.level } }
    #expect(levels("http") == ["info", "notice", "warning", "error", "critical"])
    #expect(levels("shop") == ["error", "critical"])
    #expect(levels("shop.checkout") == ["error", "critical"])
    #expect(levels("shop.db") == Level.allCases.map(\.name))
    #expect(levels("shopping") == ["error", "critical"], "a prefix is a prefix of the text")
    let lines = account.records.filter { $0.ns != nil }
    #expect(
      lines.compactMap { $0.msg } == [
        "first shop:db", "first shop:http", "second shop:http", "third shop:db", "third shop:http",
      ])
    #expect(lines.allSatisfy { $0.level == "debug" && $0.logger == nil && $0["channel"] as? String == $0.ns })
  }
}
