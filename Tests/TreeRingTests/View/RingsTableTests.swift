import TestSupport
import Testing

@testable import TreeRing

/// Ring files, listed.
struct RingsTableTests {
  private func survey(_ program: String, _ pid: UInt32, _ change: (inout RingSurvey) -> Void = { _ in }) -> RingSurvey {
    var survey = RingSurvey(
      path: "/rings/\(program)-\(pid).ring", program: program, pid: pid, isAlive: true, isClosed: false,
      isConsumed: true,
      isExternal: false, rings: 2, capacity: 1000, began: 1_000_000_000_000, memory: 4096)
    change(&survey)
    return survey
  }

  @Test func columnsAreAligned() {
    let surveys = [
      survey("shop", 4711) {
        $0.unread = 12
        $0.fullest = 101
        $0.highWater = 760
        $0.committed = 1_234_567
      },
      survey("a-long-name", 7) {
        $0.isAlive = false
        $0.isConsumed = false
        $0.dropped = 1000
      },
      survey("closed", 8) {
        $0.isClosed = true
        $0.isConsumed = false
        $0.isExternal = true
      },
    ]
    #expect(
      RingsTable().lines(surveys, now: 8_361_000_000_000) == [
        "PROGRAM       PID  STATE   DRAINED BY  RINGS  UNREAD  FULL  PEAK  COMMITTED  DROPPED    AGE",
        "shop         4711  alive   own thread      2      12   11%   76%  1,234,567        0  2h 2m",
        "a-long-name     7  dead    nobody          2       0    0%    0%          0    1,000  2h 2m",
        "closed          8  closed  nobody          2       0    0%    0%          0        0  2h 2m",
      ])
    #expect(RingsTable().advice(surveys) == ["1 dead: run `treering recover` to write out what they left"])
  }

  @Test func ratesAreThoseSinceTheLastLook() {
    let before = [survey("shop", 1) { $0.committed = 1000 }]
    let now = [survey("shop", 1) { $0.committed = 4000 }, survey("new", 2) { $0.committed = 50 }]
    let lines = RingsTable().lines(now, previous: before, seconds: 2, now: 0)
    #expect(lines[0].contains("PER SECOND") && lines[1].contains("1,500") && lines[2].contains("  -  "))
  }

  @Test func whatAProgramCallsItselfIsHarmless() {
    var table = RingsTable()
    table.colours = true
    let lines = table.lines([survey("evil\u{1B}[2J\n" + String(repeating: "x", count: 200), 1)], now: 0)
    #expect(lines.count == 2 && !lines[1].contains("\n") && !lines[1].contains("\u{1B}[2J") && lines[1].count < 160)
  }

  @Test func aNarrowTerminalShowsWholeColumns() {
    var table = RingsTable()
    let survey = survey("shop", 4711)
    table.width = 40
    let lines = table.lines([survey], now: 0)
    #expect(lines == ["PROGRAM   PID  STATE  UNREAD  DROPPED", "shop     4711  alive       0        0"])
    table.width = 80
    let watched = table.lines([survey], previous: [survey], now: 0)
    #expect(
      watched[0] == "PROGRAM   PID  STATE  DRAINED BY  UNREAD  FULL  COMMITTED  PER SECOND  DROPPED")
    #expect(watched.allSatisfy { $0.count <= 80 }, "what was lost is never left out")
  }

  @Test func whoHasNoCollectorIsTold() {
    let lonely = survey("shop", 1) {
      $0.isExternal = true
      $0.isConsumed = false
    }
    #expect(RingsTable().advice([lonely]).first?.contains("treering ship") == true)
    #expect(RingsTable().advice([survey("shop", 1)]).isEmpty)
  }

  @Test func programsGetEverything() throws {
    let object = try JSONRecord(
      line: RingsTable.json(survey("a\"b", 4711) { $0.highWater = 500 }, now: 1_041_000_000_000))
    #expect(object.program == "a\"b" && object.integer("pid") == 4711 && object["alive"] as? Bool == true)
    #expect(
      object.drained_by == "own thread" && object.integer("high_water") == 500 && object.integer("age_seconds") == 41)
  }

  @Test(arguments: [(0, "0s"), (59, "59s"), (60, "1m 0s"), (3599, "59m 59s"), (3600, "1h 0m"), (90_061, "1d 1h")])
  func agesAreShort(seconds: Int, text: String) { #expect(RingsTable.duration(seconds: UInt64(seconds)) == text) }

  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")])
  func numbersAreGrouped(number: Int, text: String) { #expect(RingsTable.grouped(UInt64(number)) == text) }

  /// The consumer remembers how full a ring was, and a survey of one that nobody consumes sees it itself.
  @Test func aRingRemembersHowFullItWas() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    while fixture.commit(EncodedRecord(room: 256, { "filling" })) {}
    let waiting = try RingSurvey(path: fixture.path)
    #expect(waiting.fullest > 4000 && waiting.highWater == waiting.fullest && waiting.isAlive && !waiting.isConsumed)
    let collector = try RingCollector(path: fixture.path) { _ in [NullSink()] }
    while collector.step() == .delivered {}
    let drained = try RingSurvey(path: fixture.path)
    #expect(drained.fullest == 0 && drained.unread == 0 && drained.highWater == waiting.fullest && drained.isConsumed)
  }
}
