import LogShipper
import TestSupport
import Testing

/// The account of a sink that has not got everything, and says so: because it failed while others worked, or because of its filter.
@Suite struct AccountOfOneSinkTests {
  private static let stream = "0123456789abcdef0123456789abcdef"
  private static let ring = "\(stream).0"

  private static func about(_ message: String, _ rest: String) -> String {
    #"{"time":"2026-01-01T00:00:00.000000002Z","level":"notice","logger":"treering","msg":"\#(message)","pid":4711,"#
      + #""ring":"\#(ring)",\#(rest)}"#
  }

  private static func withheld(_ first: Int, _ last: Int, _ count: Int) -> String {
    about(
      "records dropped",
      #""treering.dropped":\#(count),"treering.from":\#(first),"treering.to":\#(last),"treering.cause":"sink failed""#)
  }

  private static func closed(_ committed: Int, filtered: Int = 0) -> String {
    about(
      "ring closed",
      #""seq":\#(committed),"treering.committed":\#(committed),"treering.dropped":0,"#
        + #""treering.filtered":\#(filtered)"#)
  }

  private static let filterNotice = about("sink filtered", #""treering.sink":"file:/a","treering.level":"error""#)

  /// Records with these numbers, and the end of the process, which takes the next number.
  private static func archive(_ numbers: some Sequence<Int>, end: Int, filtered: Int = 0) -> [String] {
    numbers.map { SampleArchive.record(ring, $0) }
      + [SampleArchive.processClosed(stream, end, rings: 1), closed(end + 1, filtered: filtered)]
  }

  /// 20 records, of which 5 to 9 were withheld.
  private static let failed =
    [about("sink failed", #""treering.sink":"file:/a","treering.error":"No space left on device""#)]
    + [withheld(5, 9, 5), about("sink back", #""treering.sink":"file:/a","treering.lost":5,"treering.down_ms":12"#)]
    + archive(Array(0..<5) + Array(10..<20), end: 20)

  @Test func aStretchThatIsToldCountsAsDropped() {
    let verdict = settle(Self.failed)
    #expect(verdict.totals.line == "emitted 21 delivered 16 dropped 5 lost 0 duplicated 0 open 0")
    #expect(verdict.isComplete(live: false))
    #expect(verdict.foreign == 0, "notices of an outage are ours")
  }

  @Test(arguments: failed.indices)
  func aLineThatIsGoneIsStillSeen(index: Int) {
    var lines = Self.failed
    let removed = lines.remove(at: index)
    let isNews = removed.contains("sink failed\",\"pid") || removed.contains("sink back")
    #expect(settle(lines).isComplete(live: false) == isNews, "\(removed)")
  }

  @Test(arguments: failed.indices)
  func aLineThatIsThereTwiceIsStillSeen(index: Int) {
    var lines = Self.failed
    lines.append(lines[index])
    let isNews = lines[index].contains("sink failed\",\"pid") || lines[index].contains("sink back")
    #expect(settle(lines).isComplete(live: false) == isNews, "\(lines[index])")
  }

  @Test func aStretchIsKnownBeforeTheRingIsClosed() {
    let lines = [Self.withheld(2, 3, 2)] + [0, 1, 4].map { SampleArchive.record(Self.ring, $0) }
    let verdict = settle(lines)
    #expect(verdict.isComplete(live: true) && !verdict.isComplete(live: false))
    #expect(verdict.totals.dropped == 2 && verdict.totals.lost == 0)
  }

  @Test(arguments: [(5, 4, 1), (5, 9, 0), (5, 9, 6)])
  func aStretchThatCannotBeIsMalformed(first: Int, last: Int, count: Int) {
    #expect(settle([Self.withheld(first, last, count)]).malformed == 1)
  }

  @Test func whatAFilterLeftOutIsNeitherLostNorEmitted() {
    let verdict = settle([Self.filterNotice] + Self.archive([2, 5, 6], end: 10, filtered: 7))
    #expect(verdict.totals.line == "emitted 4 delivered 4 dropped 0 lost 0 duplicated 0 open 0")
    #expect(verdict.isComplete(live: false) && verdict.filtered == 7)
  }

  @Test func aLineThatAFilterDidNotTakeIsStillLost() {
    let verdict = settle([Self.filterNotice] + Self.archive([2, 6], end: 10, filtered: 7))
    #expect(verdict.totals.lost == 1 && !verdict.isComplete(live: false))
  }

  @Test func moreThanWasCommittedIsAContradiction() {
    let verdict = settle(Self.archive([2, 5, 6], end: 10, filtered: 8))
    #expect(verdict.contradictions == 1 && !verdict.isComplete(live: false))
  }

  /// While the program runs nobody can say what the filter took, and nothing is called lost.
  @Test func theGapsOfALiveFilteredStreamAreItsFilters() {
    let lines = [Self.filterNotice] + [3, 9].map { SampleArchive.record(Self.ring, $0) }
    let verdict = settle(lines)
    #expect(verdict.isComplete(live: true) && verdict.filtered == 8)
    #expect(settle(Array(lines.dropFirst())).totals.lost == 8, "without the notice it is a loss")
  }

  @Test func aFilterAndAnOutageTogetherAddUp() {
    // 30 records, every third for this sink; 9 to 20 withheld, of which it should have got 4.
    let numbers = stride(from: 0, to: 30, by: 3).filter { !(9...20).contains($0) }
    let lines = [Self.filterNotice, Self.withheld(9, 20, 4)] + Self.archive(numbers, end: 30, filtered: 20)
    let verdict = settle(lines)
    #expect(verdict.totals.line == "emitted 11 delivered 7 dropped 4 lost 0 duplicated 0 open 0")
    #expect(verdict.isComplete(live: false))
  }
}
