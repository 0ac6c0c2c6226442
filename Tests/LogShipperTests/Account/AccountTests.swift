import LogShipper
import TestSupport
import Testing

@Suite struct AccountTests {
  @Test func completeArchiveBalances() {
    let verdict = settle(SampleArchive.varied.lines)
    // Three closing records of processes are records too.
    #expect(verdict.totals.line == "emitted 34 delivered 17 dropped 17 lost 0 duplicated 0 open 0")
    #expect(verdict.isComplete(live: false))
    #expect(verdict.processes.count == 3)
    #expect(verdict.processes.map(\.pid) == [4711, 2, 3])
  }

  @Test func nothingIsAnEmptyAccount() {
    #expect(settle([]).isComplete(live: false))
    #expect(settle([]).totals == AccountTotals())
  }

  @Test(arguments: 0..<SampleArchive.varied.lines.count)
  func anyLineRemovedIsSeen(index: Int) {
    var lines = SampleArchive.varied.lines
    lines.remove(at: index)
    let verdict = settle(lines)
    #expect(!verdict.isComplete(live: false))
    #expect(verdict.totals.lost > 0 || verdict.totals.open > 0)
    #expect(verdict.totals.duplicated == 0 && verdict.malformed == 0 && verdict.contradictions == 0)
  }

  @Test(arguments: 0..<SampleArchive.varied.lines.count)
  func anyLineDoubledIsSeen(index: Int) {
    var lines = SampleArchive.varied.lines
    lines.append(lines[index])
    let verdict = settle(lines)
    #expect(!verdict.isComplete(live: false) && !verdict.isComplete(live: true))
    #expect(verdict.totals.duplicated == 1)
    #expect(verdict.totals.lost == 0 && verdict.totals.open == 0 && verdict.contradictions == 0)
  }

  @Test func anyEndRemovedIsSeen() {
    var archive = SampleArchive()
    archive.addProcess(rings: [(5, []), (0, []), (3, [2, 7])], lost: [4])
    for count in 1..<archive.lines.count {
      #expect(!settle(Array(archive.lines[..<count])).isComplete(live: false), "first \(count) lines")
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func orderDoesNotMatter(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    #expect(settle(SampleArchive.varied.lines.shuffled(using: &generator)).isComplete(live: false))
  }

  @Test func lostRecordsAreNamed() {
    var lines = SampleArchive.varied.lines
    lines.removeSubrange(1...2)
    let verdict = settle(lines)
    #expect(verdict.totals.lost == 2)
    let ring = verdict.processes[0].rings[0]
    #expect(ring.missing == [NumberSet.Run(first: 1, last: 2)])
    #expect(verdict.totals.emitted == 34)
  }

  @Test func missingNoticeLosesItsCount() throws {
    var lines = SampleArchive.varied.lines
    let notice = try #require(lines.firstIndex { $0.contains(#""treering.dropped_total":9"#) })
    lines.remove(at: notice)
    #expect(settle(lines).totals.line == "emitted 34 delivered 17 dropped 10 lost 7 duplicated 0 open 0")
  }

  @Test func noticeMissingBesideADoubledOneOfTheSameSizeIsSeen() {
    let ring = "a.0"
    let notices = SampleArchive.notices(ring, [5, 5, 5], cause: "ring full")
    let end = [
      SampleArchive.processClosed("a", 0, rings: 1), SampleArchive.ringClosed(ring, committed: 1, dropped: 15),
    ]
    #expect(settle(notices + end).isComplete(live: false))
    let verdict = settle([notices[0], notices[0], notices[2]] + end)
    #expect(verdict.totals.lost == 5 && verdict.totals.duplicated == 1)
  }

  @Test func ringNeverSeenIsOpenAndLost() {
    let lines = [
      SampleArchive.record("a.0", 0), SampleArchive.processClosed("a", 1, rings: 3),
      SampleArchive.ringClosed("a.0", committed: 2, dropped: 0),
    ]
    let verdict = settle(lines)
    #expect(verdict.totals.line == "emitted 4 delivered 2 dropped 0 lost 2 duplicated 0 open 2")
    #expect(verdict.processes[0].unseen == 2)
    #expect(!verdict.isComplete(live: true))
  }

  @Test func processWithoutRecordsIsComplete() {
    var archive = SampleArchive()
    archive.addProcess(rings: [(0, [])])
    #expect(settle(archive.lines).totals.line == "emitted 1 delivered 1 dropped 0 lost 0 duplicated 0 open 0")
  }

  @Test func processWithoutItsClosingRecordIsOpen() {
    let verdict = settle([SampleArchive.record("a.1", 0), SampleArchive.ringClosed("a.1", committed: 1, dropped: 0)])
    // The process, and its ring 0, of which there is no line.
    #expect(verdict.totals.open == 2)
    #expect(verdict.totals.lost == 0)
  }

  @Test func liveAllowsOpenRingsAndNoGaps() {
    let lines = (0..<4).map { SampleArchive.record("a.0", $0) }
    #expect(!settle(lines).isComplete(live: false))
    #expect(settle(lines).isComplete(live: true))
    #expect(!settle([lines[0], lines[2]]).isComplete(live: true))
    #expect(settle([lines[0], lines[2]]).totals.line == "emitted 3 delivered 2 dropped 0 lost 1 duplicated 0 open 1")
  }

  @Test func foreignLinesAreCountedAndIgnored() {
    let foreign = [
      "{}", #"{"ring":"gold","seq":1}"#, #"{"ring":7}"#, #"{"msg":"hello","seq":"x"}"#, #"{"ring":"a.0"}"#,
      #"{"ring":"a.0","msg":"records dropped","treering.dropped":1,"treering.dropped_total":1}"#,
    ]
    let verdict = settle(SampleArchive.varied.lines + foreign)
    #expect(verdict.isComplete(live: false))
    #expect(verdict.foreign == 6)
  }

  @Test(arguments: [
    "", "x", "[]", "7", #"{"a":1"#, #"{"a":1}{"#, #"{"ring":"a.0","seq":-1}"#, #"{"ring":"a.0","seq":1.0}"#,
    #"{"ring":"a.0","seq":"1"}"#, #"{"ring":"a.0","seq":1,"seq":1}"#, #"{"ring":"a.0","seq":9223372036854775808}"#,
    #"{"logger":"treering","msg":"records dropped","ring":"a.0","treering.dropped":3,"treering.dropped_total":2}"#,
    #"{"logger":"treering","msg":"records dropped","ring":"a.0"}"#,
    #"{"logger":"treering","msg":"ring closed","ring":"a.0","seq":1,"treering.committed":2,"treering.dropped":0}"#,
  ])
  func malformedLinesFail(line: String) {
    let verdict = settle(SampleArchive.varied.lines + [line])
    #expect(verdict.malformed == 1)
    #expect(!verdict.isComplete(live: true))
    #expect(verdict.totals == settle(SampleArchive.varied.lines).totals)
    #expect(verdict.malformedLines.first?.place.line == 29)
  }

  @Test func aProgramsOwnWordsAreRecords() {
    // A program that says what notices say: with another logger, or without the numbers.
    let lines = [
      #"{"logger":"shop","msg":"ring closed","ring":"a.0","seq":0,"treering.committed":9,"treering.dropped":9}"#,
      #"{"logger":"treering","msg":"ring closed","ring":"a.0","seq":1}"#,
      #"{"logger":"treering","msg":"process closed","ring":"a.1","seq":0,"treering.rings":9}"#,
    ]
    let verdict = settle(lines)
    #expect(verdict.totals.delivered == 3)
    #expect(verdict.totals.open == 2)
    #expect(verdict.processes[0].closedRings == nil)
  }

  @Test func statementsThatExcludeEachOtherFail() {
    let base = SampleArchive.varied.lines
    let stream = "feedfeedfeedfeedfeedfeedfeedfeed"
    let contradicting = [
      [SampleArchive.record("\(stream).1", 6)],
      [SampleArchive.ringClosed("\(stream).1", committed: 6, dropped: 1)],
      [SampleArchive.record("\(stream).2", 0), SampleArchive.ringClosed("\(stream).2", committed: 1, dropped: 0)],
      [SampleArchive.notices("\(stream).0", [4, 1], cause: "ring full")[1]],
      [SampleArchive.notices("\(stream).0", [4, 1], cause: "no ring")[1]],
      [SampleArchive.processClosed(stream, 0, rings: 2, lost: 9)],
    ]
    for lines in contradicting {
      #expect(settle(base + lines).contradictions == 1, "\(lines)")
      #expect(!settle(base + lines).isComplete(live: true), "\(lines)")
    }
  }

  @Test func unreadableStretchLosesARecordAtLeast() {
    let lines = SampleArchive.varied.lines
    let added = settle(lines + [SampleArchive.unreadable("short-1.0")])
    #expect(added.totals.lost == 1 && !added.isComplete(live: true))
    // Explained by a gap of two, it adds nothing.
    var cut = lines
    cut.removeSubrange(1...2)
    #expect(settle(cut + [SampleArchive.unreadable("0123456789abcdef0123456789abcdef.0")]).totals.lost == 2)
  }

  @Test func absurdNumbersDoNotTrap() {
    let most = Int.max
    let verdict = settle([
      SampleArchive.record("a.0", most), SampleArchive.record("b.4294967295", most),
      SampleArchive.processClosed("c", most, rings: most, lost: most),
      SampleArchive.ringClosed("c.1", committed: most, dropped: most),
    ])
    #expect(verdict.totals.emitted == .max && verdict.totals.lost == .max)
    #expect(!verdict.isComplete(live: true))
  }
}
