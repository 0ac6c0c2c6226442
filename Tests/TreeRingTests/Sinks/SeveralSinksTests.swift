import CTreeRing
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Several sinks of one drain, of which some fail: nobody is held up, nothing is lost without being told, and each outage is told once out and once back.
struct SeveralSinksTests {
  @Test func aSinkThatFailsDoesNotHoldUpTheOther() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    let bench = try DrainBench([good, bad])
    bad.failure = Errno(ENOSPC)
    bench.log(10)
    bench.drainAll()
    #expect(try StreamAccount(good.records(), isClosed: false).records.count == 10)
    #expect(bad.bytes.isEmpty)
    #expect(bench.isEmpty, "the rings are free again")
  }

  /// What was kept in the backlog comes in order, with nothing lost, and the outage is told to both, once out and once back.
  @Test func aShortOutageLosesNothing() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    let bench = try DrainBench([good, bad])
    bench.log(5)
    bench.drainAll()
    bad.failure = Errno(ENOSPC)
    for _ in 0..<20 {
      bench.log(5)
      bench.pass(milliseconds: 1000)
    }
    bad.failure = nil
    bench.log(5)
    bench.drainAll(milliseconds: 5000)
    try bench.close()
    for sink in [good, bad] {
      let account = StreamAccount(try sink.records())
      #expect(account.faults == [], "\(sink.name)")
      #expect(account.records.count == 110)
      #expect(account.outages.map(\.msg) == ["sink failed", "sink back"])
      #expect(account.outages.allSatisfy { $0["treering.sink"] as? String == "bad:" })
      #expect(account.outages.last?.integer("treering.lost") == 0)
    }
    #expect(bench.drain.counters.withheld == 0)
  }

  /// An outage longer than the backlog: one hole, told by its numbers, levels and count to the sink that has it.
  @Test func aLongOutageIsOneHoleThatIsTold() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    let bench = try DrainBench([good, bad], backlog: 2000)
    bench.log(5)
    bench.drainAll()
    bad.failure = Errno(ENOSPC)
    for _ in 0..<30 {
      bench.log(4)
      bench.log(1, level: .error)
      bench.pass(milliseconds: 300)
    }
    bad.failure = nil
    bench.drainAll(milliseconds: 5000)
    bench.log(5)
    bench.drainAll()
    try bench.close()
    let whole = StreamAccount(try good.records())
    #expect(whole.faults == [] && whole.records.count == 160)
    let account = StreamAccount(try bad.records())
    #expect(account.faults == [])
    let ring = try #require(account.rings.values.first)
    #expect(ring.withheld.count == 1, "one hole")
    #expect(account.records.count + ring.withheldCount == 160)
    #expect(ring.withheldCount > 50)
    let back = try #require(account.outages.last)
    #expect(account.outages.map(\.msg) == ["sink failed", "sink back"])
    #expect(back.integer("treering.lost") == ring.withheldCount)
    #expect(bench.drain.counters.withheld == UInt64(ring.withheldCount))
    let hole = try #require(try bad.records().first { $0.integer("treering.from") != nil })
    let levels = try #require(hole["treering.levels"] as? [String: Int])
    #expect(levels.values.reduce(0, +) == ring.withheldCount && levels["error"] != nil)
    #expect(hole["treering.cause"] as? String == "sink failed")
  }

  /// A reader that stops is found out when its backlog is full: its own notice comes first when it reads again.
  @Test func aSinkThatOverflowsIsToldOfItsOwnOutage() throws {
    let (good, slow) = (FaultySink("good:"), FaultySink("slow:"))
    let bench = try DrainBench([good, slow], backlog: 1000)
    slow.room = 500
    for _ in 0..<20 {
      bench.log(10)
      bench.pass(milliseconds: 1)
    }
    slow.room = .max
    bench.drainAll(milliseconds: 1000)
    try bench.close()
    for sink in [good, slow] {
      let account = StreamAccount(try sink.records())
      #expect(account.faults == [])
      #expect(account.outages.map(\.msg) == ["sink failed", "sink back"], "\(sink.name)")
    }
  }

  /// With nobody to take them, records stay in the rings, which outlive the process.
  @Test(arguments: [1, 2])
  func whileNoSinkWorksRecordsStayInTheRings(count: Int) throws {
    let sinks = (0..<count).map { FaultySink("sink\($0):") }
    let bench = try DrainBench(sinks)
    for sink in sinks { sink.failure = Errno(EIO) }
    bench.log(10)
    for _ in 0..<10 { #expect(bench.pass(milliseconds: 1000) == .failed(Errno(EIO))) }
    #expect(!bench.isEmpty)
    #expect(bench.complaints.count == 1, "standard error is told once: \(bench.complaints)")
    for sink in sinks { sink.failure = nil }
    bench.drainAll(milliseconds: 6000)
    try bench.close()
    for sink in sinks {
      let account = StreamAccount(try sink.records())
      #expect(account.faults == [] && account.records.count == 10)
      #expect(account.outages.count { $0["treering.sink"] as? String == sink.name } == 2, "\(account.outages)")
    }
    #expect(bench.complaints.count == 1)
  }

  /// A pipe takes a part of a batch: the rest follows, and no line is torn or repeated.
  @Test(arguments: [1, 100, 1000, 5000])
  func aSlowReaderGetsEverything(room: Int) throws {
    let (good, slow) = (FaultySink("good:"), FaultySink("slow:"))
    let bench = try DrainBench([good, slow])
    for _ in 0..<40 {
      bench.log(3)
      slow.room = room
      bench.pass(milliseconds: 10)
    }
    slow.room = .max
    bench.drainAll(milliseconds: 100)
    try bench.close()
    let account = StreamAccount(try slow.records())
    #expect(account.faults == [] && account.records.count == 120)
    #expect(StreamAccount(try good.records()).faults == [])
  }

  /// What the only sink has begun stays in the rings, which outlive the process, until it has all of it.
  @Test func aBatchThatTheOnlySinkHasBegunStaysInTheRings() throws {
    let slow = FaultySink("slow:")
    let bench = try DrainBench([slow])
    slow.room = 300
    bench.log(10)
    bench.pass()
    #expect(slow.bytes.count == 300 && !bench.isEmpty)
    for _ in 0..<5 {
      slow.room = 100
      bench.log(1)
      #expect(bench.pass(milliseconds: 10) == .failed(.wouldBlock))
    }
    #expect(!bench.isEmpty)
    (slow.room, slow.failure) = (.max, Errno(EPIPE))
    bench.pass(milliseconds: 10)
    #expect(!bench.isEmpty)
    slow.failure = nil
    bench.drainAll(milliseconds: 5000)
    #expect(bench.isEmpty)
    try bench.close()
    // The line that the broken connection had a part of comes again; what went before it does not.
    let lines = slow.bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    let numbers = lines.compactMap { try? JSONRecord(line: $0) }.filter { $0.logger != "treering" }.compactMap {
      $0.integer("seq")
    }
    #expect(numbers.count >= 14 && Set(numbers).count == numbers.count, "\(numbers)")
  }

  /// A connection that breaks in the middle of a line begins again with that line.
  @Test func aLineThatWasCutOffComesAgain() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    let bench = try DrainBench([good, bad])
    bad.room = 150
    bench.log(5)
    bench.drainAll()
    #expect(bad.bytes.count == 150)
    // Two more lines and a part of a third, before it breaks.
    bad.room = 400
    bench.pass(milliseconds: 10)
    #expect(bad.bytes.count == 550)
    bad.failure = Errno(EPIPE)
    bench.pass(milliseconds: 10)
    (bad.failure, bad.room) = (nil, .max)
    bench.drainAll(milliseconds: 1000)
    let text = String(decoding: bad.bytes[550...], as: UTF8.self)
    let first = try #require(text.split(separator: "\n").first)
    let cut = String(decoding: bad.bytes[..<550].split(separator: UInt8(ascii: "\n")).last ?? [], as: UTF8.self)
    #expect(first.hasPrefix(cut) && first.count > cut.count, "\(first) begins with \(cut)")
    let numbers = try text.split(separator: "\n").map { try JSONRecord(line: $0) }.compactMap { $0.integer("seq") }
    #expect(Set(numbers).count == numbers.count && numbers.last == 4)
    #expect(bad.reopenings > 0)
  }

  /// A descriptor whose reader will never come back: what is for it is counted, and nothing is kept for it.
  @Test func aSinkThatIsGoneIsLeftBehind() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    bad.isMortal = true
    let bench = try DrainBench([good, bad])
    bad.failure = Errno(EPIPE)
    for _ in 0..<5 {
      bench.log(10)
      bench.drainAll(milliseconds: 10_000)
    }
    try bench.close()
    let account = StreamAccount(try good.records())
    #expect(account.faults == [] && account.records.count == 50)
    #expect(account.outages.map(\.msg) == ["sink failed"])
    #expect(bench.drain.counters.withheld == 50)
    #expect(bad.reopenings == 0)
  }

  /// `prog | head`: a sole sink that is gone does not fill the rings.
  @Test func aloneAGoneSinkEmptiesTheRings() throws {
    let bad = FaultySink("bad:")
    bad.isMortal = true
    let bench = try DrainBench([bad])
    bad.failure = Errno(EPIPE)
    bench.log(100)
    bench.drainAll()
    #expect(bench.isEmpty)
    #expect(bench.complaints.count == 1)
    try bench.close()
  }

  /// A level makes no loss: the closing records say how many it left out.
  @Test func whatAFilterLeavesOutIsCounted() throws {
    let (all, errors) = (FaultySink("all:"), FaultySink("errors:", level: .error))
    let bench = try DrainBench([all, errors], rings: 2)
    for _ in 0..<10 {
      bench.log(7)
      bench.log(2, level: .error, ring: 1)
      bench.log(1, level: .critical)
      bench.drainAll()
    }
    try bench.close()
    let account = StreamAccount(try errors.records())
    #expect(account.faults == [] && account.records.count == 30)
    #expect(account.rings.values.map(\.filtered).sorted() == [0, 70])
    let whole = StreamAccount(try all.records())
    #expect(whole.faults == [] && whole.rings.values.allSatisfy { $0.filtered == 0 })
  }

  /// A filter and a hole together still add up.
  @Test func aFilteredSinkThatFailedAddsUp() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:", level: .warning))
    let bench = try DrainBench([good, bad], rings: 2, backlog: 500)
    for step in 0..<40 {
      if step == 5 { bad.failure = Errno(ENOSPC) }
      if step == 30 { bad.failure = nil }
      bench.log(3, ring: step % 2)
      bench.log(2, level: .warning, ring: (step + 1) % 2)
      bench.pass(milliseconds: 500)
    }
    bench.drainAll(milliseconds: 6000)
    try bench.close()
    let account = StreamAccount(try bad.records())
    #expect(account.faults == [])
    #expect(account.rings.values.reduce(0) { $0 + $1.withheldCount } > 0)
    #expect(StreamAccount(try good.records()).faults == [])
  }

  /// Drops that were told while a sink missed everything are told to it afterwards.
  @Test func dropsToldDuringAnOutageAreToldToTheSinkAfterwards() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    let bench = try DrainBench([good, bad], backlog: 100)
    bench.log(1)
    bench.drainAll()
    bad.failure = Errno(ENOSPC)
    for round in 0..<10 {
      bench.log(2)
      if round > 4 { bench.drop(3) }
      bench.pass(milliseconds: 500)
    }
    bad.failure = nil
    bench.drainAll(milliseconds: 6000)
    bench.drop(2)
    bench.drainAll()
    try bench.close()
    for sink in [good, bad] {
      let account = StreamAccount(try sink.records())
      #expect(account.faults == [], "\(sink.name)")
      #expect(account.rings.values.first?.dropped == 17)
    }
  }

  /// A consumer dies with a backlog in its memory: its successor tells the sink what it never got.
  @Test func whatABacklogTookWithItIsToldByTheSuccessor() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    var bench: DrainBench? = try DrainBench([good, bad])
    bench?.log(5)
    bench?.drainAll()
    bad.failure = Errno(ENOSPC)
    bench?.log(20)
    bench?.drop(4)
    bench?.drainAll()
    bad.failure = nil
    let producer = try #require(bench?.producer)
    bench?.forgetDrain()
    bench = nil
    let successor = try DrainBench([good, bad], continuing: producer)
    successor.log(5)
    successor.drainAll(milliseconds: 100)
    try successor.close()
    let account = StreamAccount(try bad.records())
    #expect(account.faults == [] && account.records.count == 10)
    #expect(account.rings.values.first?.withheldCount == 20)
    #expect(account.rings.values.first?.dropped == 4)
    #expect(StreamAccount(try good.records()).faults == [])
  }

  /// A successor with other sinks begins where the rings stand.
  @Test func aSuccessorWithOtherSinksOwesNothing() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    let bench = try DrainBench([good, bad])
    bad.failure = Errno(ENOSPC)
    bench.log(20)
    bench.drainAll()
    bench.forgetDrain()
    let other = FaultySink("other:")
    let successor = try DrainBench([other], continuing: bench.producer)
    successor.log(5)
    successor.drainAll()
    let records = try other.records()
    #expect(records.count == 5 && records.allSatisfy { $0.logger != "treering" })
  }

  /// Where nothing may be missed, one that fails holds all.
  @Test func withRequiredSinksNothingIsTakenWhileOneFails() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    let bench = try DrainBench([good, bad], backlog: 0, requiresAll: true)
    bad.failure = Errno(ENOSPC)
    for _ in 0..<20 {
      bench.log(5)
      bench.pass(milliseconds: 1000)
    }
    #expect(!bench.isEmpty)
    bad.failure = nil
    bench.drainAll(milliseconds: 6000)
    try bench.close()
    for sink in [good, bad] {
      let account = StreamAccount(try sink.records())
      #expect(account.faults == [] && account.records.count == 100, "\(sink.name)")
    }
  }

  /// The stream ends while one sink fails: the others are closed, and that one is named.
  @Test func aSinkThatFailsAtTheEndIsNamed() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    let bench = try DrainBench([good, bad])
    bench.log(5)
    bad.failure = Errno(ENOSPC)
    bench.drainAll()
    #expect(bench.drain.closeStream() == .failed(Errno(ENOSPC)))
    let complaints = bench.drain.abandon()
    #expect(
      complaints.count == 1 && complaints[0].contains("bad:") && complaints[0].contains("6 lines"), "\(complaints)")
    #expect(bench.drain.closeStream() == .delivered)
    #expect(StreamAccount(try good.records()).faults == [])
  }

  /// What only a sink that was given up should get is left for recovery.
  @Test func whatNobodyTookAtTheEndStaysInTheRings() throws {
    let bad = FaultySink("bad:")
    let bench = try DrainBench([bad])
    bench.log(5)
    bad.failure = Errno(ENXIO)
    bench.drainAll()
    _ = bench.drain.abandon()
    for _ in 0..<5 { bench.pass(milliseconds: 1000) }
    #expect(bench.drain.closeStream() != .delivered)
    #expect(!bench.isEmpty)
  }

  /// Memory of a sink that never comes back: its limit and a batch, however long it lasts.
  @Test func memoryOfAnOutageIsBounded() throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    let bench = try DrainBench([good, bad], backlog: 10_000)
    bad.failure = Errno(ENOSPC)
    var most = 0
    for _ in 0..<200 {
      bench.log(20)
      bench.drainAll(milliseconds: 100)
      most = max(most, bench.drain.lines[1].waiting)
    }
    #expect(most >= 10_000 && most < 10_000 + Drain.batchSize)
  }
}
