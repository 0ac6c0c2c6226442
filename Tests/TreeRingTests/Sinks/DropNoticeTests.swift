import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// The times that notices of drops tell: each those of its own stretch, whatever happens between two of them.
@Suite struct DropNoticeTests {
  /// Both kinds of drops tell the same.
  enum Kind: CaseIterable {
    case ring
    case noRing

    func drop(_ bench: DrainBench, _ count: UInt64) {
      // A stretch shows in the times only when some pass.
      usleep(2000)
      self == .ring ? bench.drop(count) : bench.lose(count)
      usleep(2000)
    }
  }

  private struct Notice {
    let count: Int
    let first: String
    let last: String
    let levels: [String: Int]

    init(_ record: JSONRecord) throws {
      count = try #require(record.integer("treering.dropped"))
      first = try #require(record["treering.first"] as? String)
      last = try #require(record["treering.last"] as? String)
      levels = try #require(record["treering.levels"] as? [String: Int])
    }
  }

  private func notices(_ sink: FaultySink) throws -> [Notice] {
    let told = try sink.records().filter { $0.msg == "records dropped" }
    return try told.filter { $0["treering.cause"] as? String != "sink failed" }.map { try Notice($0) }
  }

  private func expectApart(_ notices: [Notice], counts: [Int]) {
    #expect(notices.map(\.count) == counts)
    for notice in notices {
      #expect(notice.first <= notice.last)
      #expect(notice.levels.values.reduce(0, +) == notice.count, "levels of this stretch, not of all")
    }
    for (before, after) in zip(notices, notices.dropFirst()) { #expect(before.last < after.first) }
  }

  @Test(arguments: Kind.allCases)
  func eachNoticeHasTheTimesOfItsOwnStretch(kind: Kind) throws {
    let sink = FaultySink()
    let bench = try DrainBench([sink])
    for count in 1...4 {
      kind.drop(bench, UInt64(count))
      bench.drainAll()
    }
    expectApart(try notices(sink), counts: [1, 2, 3, 4])
  }

  /// What is dropped while a notice is on its way belongs to the next one.
  @Test(arguments: Kind.allCases)
  func dropsDuringANoticeBeginTheNextStretch(kind: Kind) throws {
    let sink = FaultySink()
    let bench = try DrainBench([sink])
    var isDone = false
    sink.meanwhile = { [unowned bench] in
      if isDone { return }
      isDone = true
      kind.drop(bench, 1)
    }
    kind.drop(bench, 2)
    bench.pass()
    kind.drop(bench, 1)
    bench.drainAll()
    let told = try notices(sink)
    expectApart(told, counts: [2, 2])
    #expect(told.last.map { $0.first < $0.last } == true, "from the one during the notice to the one after it")
  }

  /// A notice that did not arrive begins where it began, with the same consumer or the next one.
  @Test(arguments: Kind.allCases, [false, true])
  func aStretchThatWasNotToldGoesOn(kind: Kind, dies: Bool) throws {
    let sink = FaultySink()
    var bench = try DrainBench([sink])
    kind.drop(bench, 1)
    bench.drainAll()
    kind.drop(bench, 1)
    let middle = OutputBuffer()
    Timestamp().append(Syscalls.now(CLOCK_REALTIME), digits: 9, to: middle)
    sink.failure = Errno(ENOSPC)
    #expect(bench.pass() == .failed(Errno(ENOSPC)))
    kind.drop(bench, 1)
    sink.failure = nil
    if dies {
      let producer = bench.producer
      bench.forgetDrain()
      bench = try DrainBench([sink], continuing: producer)
    }
    bench.drainAll(milliseconds: 6000)
    let told = try notices(sink)
    expectApart(told, counts: [1, 2])
    let last = try #require(told.last)
    let text = unsafe String(decoding: middle.bytes, as: UTF8.self)
    #expect(last.first < text && text < last.last, "\(last.first) \(text) \(last.last)")
  }

  /// A sink that missed notices is told their sum, with the times of all of them.
  @Test(arguments: Kind.allCases)
  func aSinkThatMissedNoticesGetsTheirTimes(kind: Kind) throws {
    let (good, bad) = (FaultySink("good:"), FaultySink("bad:"))
    let bench = try DrainBench([good, bad], backlog: 100)
    bench.log(1)
    bench.drainAll()
    bad.failure = Errno(ENOSPC)
    for _ in 0..<5 {
      bench.log(2)
      bench.pass(milliseconds: 500)
    }
    for count in 1...3 as ClosedRange<UInt64> {
      kind.drop(bench, count)
      bench.pass(milliseconds: 500)
    }
    bad.failure = nil
    bench.drainAll(milliseconds: 6000)
    kind.drop(bench, 4)
    bench.drainAll()
    let (all, sums) = (try notices(good), try notices(bad))
    expectApart(all, counts: [1, 2, 3, 4])
    expectApart(sums, counts: [6, 4])
    #expect(sums.first?.first == all.first?.first && sums.first?.last == all.dropFirst(2).first?.last)
  }
}
