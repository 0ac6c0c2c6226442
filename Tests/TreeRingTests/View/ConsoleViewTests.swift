import Foundation
import TestSupport
import Testing

@testable import TreeRing

/// What a person sees.
struct ConsoleViewTests {
  private static let time: UInt64 = 1_767_323_045_678_000_000  // 2026-01-02T03:04:05.678Z

  private func show(_ items: [ViewItem], _ style: (inout ConsoleView.Style) -> Void = { _ in }) -> String {
    var chosen = ConsoleView.Style()
    style(&chosen)
    var view = ConsoleView(chosen)
    let output = OutputBuffer()
    for item in items { view.append(item, to: output) }
    return unsafe String(decoding: output.bytes, as: UTF8.self)
  }

  private func record(
    _ message: String, _ fields: [RecordedLog.Field] = [], level: Level = .info, label: String = "shop",
    after: UInt64 = 0,
    isChannel: Bool = false
  ) -> ViewItem {
    .record(
      ViewedRecord(
        RecordedLog(
          nanosecondsSince1970: Self.time + after * 1_000_000, level: level, label: label, isDebugChannel: isChannel,
          message: message, fields: fields), pid: 4711))
  }

  @Test func columnsStandWhereTheyAre() {
    let text = show([
      record(
        "order 17 placed",
        [.init(key: "order.id", value: 17, isInMessage: true), .init(key: "city", value: "New York")]),
      record("failed", [.init(key: "n", value: .null)], level: .critical, label: "shop.checkout"),
      record("wide", label: "shop"),
    ])
    #expect(
      text == """
        2026-01-02T03:04:05.678Z INFO     shop      order 17 placed  city="New York"
        2026-01-02T03:04:05.678Z CRITICAL shop.checkout  failed  n=null
        2026-01-02T03:04:05.678Z INFO     shop           wide

        """)
  }

  @Test func linesThatComeTogetherShareTheirColumns() {
    var view = ConsoleView(ConsoleView.Style())
    view.style.time = .none
    let items = [record("one", label: "a"), record("two", label: "shop.checkout")]
    let output = OutputBuffer()
    view.prepare(for: items)
    for item in items { view.append(item, to: output) }
    #expect(
      unsafe String(decoding: output.bytes, as: UTF8.self)
        == "INFO     a              one\nINFO     shop.checkout  two\n")
  }

  @Test func theClockTellsOfNewDays() {
    let text = show([record("one"), record("two", after: 20), record("three", after: 86_400_000)]) {
      $0.time = .clock
      $0.showsPID = true
    }
    #expect(
      text == """
        ── 2026-01-02 (UTC) ──
        03:04:05.678 INFO     4711    shop      one
        03:04:05.698 INFO     4711    shop      two
        ── 2026-01-03 (UTC) ──
        03:04:05.678 INFO     4711    shop      three

        """)
    #expect(show([record("bare")]) { $0.time = .none } == "INFO     shop      bare\n")
  }

  @Test func intervalsAreThoseOfTheLabel() {
    let items = [
      record("a", label: "x"), record("b", label: "y", after: 5), record("c", label: "x", after: 1500),
      record("d", label: "y", after: 1500),
      record("e", label: "x", after: 1400),
    ]
    let ends = show(items) {
      $0.showsIntervals = true
      $0.time = .none
    }.split(separator: "\n").map { $0.split(separator: "  ").last ?? "" }
    #expect(ends.map { $0.drop { $0 == " " } } == ["a", "b", "+2s", "+1s", "+0ms"], "as npm's debug rounds: \(ends)")
  }

  @Test func nothingSteersTheTerminal() {
    let evil = "a\u{1B}[31mb\r\u{7}\u{9B}c\nd"
    let items = [
      record(evil, [.init(key: evil, value: .string(evil))], label: evil), .line(Array(evil.utf8), time: 0),
      .notice(ViewNotice(.refused(evil), time: Self.time, subject: evil)),
    ]
    for width in [nil, 60] {
      let text = show(items) { $0.width = width }
      #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) })
    }
    #expect(show(items).split(separator: "\n").count == 3, "elsewhere than on a terminal a record is one line")
  }

  @Test func longLinesGoOnBelowTheirText() {
    let text = show([
      record(
        "a message of several words that is too long",
        [.init(key: "key", value: "value"), .init(key: "other", value: 12345)])
    ]) {
      $0.time = .none
      $0.width = 45
    }
    #expect(
      text == """
        INFO     shop      a message of several words
                           that is too long
                           key=value  other=12345

        """)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 45 })
    let lines = show([record("first\nsecond")]) {
      $0.time = .none
      $0.width = 80
    }
    #expect(lines == "INFO     shop      first\n                   second\n")
    let stack = show([record("first\nsecond", [.init(key: "k", value: 1)])]) {
      $0.time = .none
      $0.width = 80
    }
    #expect(stack == "INFO     shop      first\n                   second\n                   k=1\n")
  }

  /// Frames and debug lines of a crash: a line each, where there are lines.
  @Test func aLongListHasALineForEachOfIt() {
    let frames: RecordedValue = [.string("first() + 35 (shop)"), .string("second\u{1B}() + 1 (shop)"), "third"]
    let items = [
      record(
        "crashed",
        [.init(key: "backtrace", value: frames), .init(key: "pair", value: [1, 2]), .init(key: "n", value: 1)])
    ]
    let text = show(items) {
      $0.time = .none
      $0.width = 60
    }
    #expect(
      text == """
        INFO     shop      crashed
            backtrace=
              first() + 35 (shop)
              second\\u001b() + 1 (shop)
              third
                           pair=[1, 2]  n=1

        """)
    #expect(show(items).split(separator: "\n").count == 1, "elsewhere a record is one line")
  }

  /// A number of 32 digits is still one thing to be picked up with the mouse.
  @Test func whatHasNoRoomBelowTheTextBeginsFurtherLeft() {
    let id = String(repeating: "a", count: 32)
    let fields: [RecordedLog.Field] = [
      .init(key: "request.id", value: .string(id)), .init(key: "n", value: 1),
      .init(key: "debug", value: [.string("one line " + id + " of several words")]),
    ]
    let text = show([record("GET", fields)]) {
      $0.time = .none
      $0.width = 55
    }
    #expect(
      text == """
        INFO     shop      GET
            request.id=\(id)  n=1
            debug=
              one line \(id) of
              several words

        """)
  }

  @Test func noticesAreWrappedBetweenWords() {
    let notice = ViewItem.notice(ViewNotice(.died(unread: 3), time: Self.time, subject: "shop", pid: 4711))
    let lines = show([notice]) {
      $0.time = .none
      $0.width = 40
    }.split(separator: "\n").map(String.init)
    #expect(lines.count > 2 && lines.allSatisfy { $0.count <= 40 }, "\(lines)")
    #expect(lines.joined(separator: " ").contains("shop 4711 is gone without closing its log"))
  }

  @Test func wideCharactersTakeTwoColumns() {
    #expect("日本".columns == 4 && "e\u{301}".columns == 1 && "😀".columns == 2 && "abc".columns == 3)
  }

  @Test func coloursEndWhereTheyBegin() {
    for colours in [ConsoleView.Colours.basic, .extended] {
      let text = show([record("x", [.init(key: "k", value: 1)], level: .critical, isChannel: true)]) {
        $0.colours = colours
        $0.showsIntervals = true
      }
      #expect(
        text.components(separatedBy: "\u{1B}[0m").count == text.components(separatedBy: "\u{1B}[").count
          - text.components(separatedBy: "\u{1B}[0m").count + 1)
      #expect(text.contains(colours == .extended ? "\u{1B}[38;5;" : "\u{1B}[3"))
      #expect(text.contains(";1mshop"), "a channel is bold")
    }
    #expect(!show([record("x")]).contains("\u{1B}"))
  }

  @Test func valuesThatTheTextHasAreNotRepeated() {
    let item = record(
      "GET /companies/1 200",
      [
        .init(key: "method", value: "GET"), .init(key: "status", value: 200), .init(key: "path", value: "/companies/1"),
        .init(key: "bytes", value: 1), .init(key: "part", value: "compan"),
      ])
    #expect(show([item]) { $0.time = .none } == "INFO     shop      GET /companies/1 200  bytes=1  part=compan\n")
    #expect(show([item]) { $0.showsAllFields = true }.contains("method=GET  status=200"))
  }

  @Test func bookkeepingIsNotForPeople() {
    let items = [record("ring closed", label: "treering"), record("records dropped", label: "treering")]
    #expect(show(items).split(separator: "\n").count == 1)
  }

  @Test func programsGetObjects() throws {
    let output = OutputBuffer()
    var viewed = ViewedRecord(RecordedLog(level: .info, label: "l", message: "m"), pid: 1)
    viewed.json = Array(#"{"msg":"m"}"#.utf8)
    let items: [ViewItem] = [
      .record(viewed), .line(Array("plain \"text\"\u{1B}".utf8), time: 0), .line(Array(#"{"other":1}"#.utf8), time: 0),
      .notice(ViewNotice(.died(unread: 3), time: Self.time, subject: "shop", pid: 4711)),
      .notice(ViewNotice(.missed(9), time: Self.time, subject: "shop", pid: 4711)),
    ]
    for item in items { JSONView.append(item, to: output) }
    let lines = try unsafe String(decoding: output.bytes, as: UTF8.self).split(separator: "\n").map {
      try JSONRecord(line: $0)
    }
    #expect(
      lines.count == 5 && lines[0].msg == "m" && lines[1].msg == "plain \"text\"\u{1B}"
        && lines[2].integer("other") == 1)
    #expect(lines[3]["treering.notice"] as? String == "died" && lines[3].integer("treering.records") == 3)
    #expect(
      lines[4].integer("treering.records") == 9 && lines[4].integer("pid") == 4711 && lines[4].logger == "treering.tail"
    )
  }
}
