import Foundation
import TestSupport
import Testing

@testable import TreeRing

@Suite struct JSONFormatterTests {
  @Test func aRecordIsWhatTheContractSays() throws {
    let record = EncodedRecord(level: .warning, sequence: 41, { "disk \(91, "percent") % full" }) { $0["disk"] = "sda" }
    #expect(
      try record.json(label: "shop.disk", time: 1_767_323_045_678_901_234).line
        == #"{"time":"2026-01-02T03:04:05.678901234Z","level":"warning","logger":"shop.disk","msg":"disk 91 % full","#
        + #""pid":1,"ring":"r.0","seq":41,"percent":91,"disk":"sda"}"#)
    let channel = EncodedRecord(level: .debug, flags: RecordFlags.channel, { "row" })
    let line = try channel.json(label: "shop:db")
    #expect(line.ns == "shop:db" && line.logger == nil && line.level == "debug")
  }

  @Test(arguments: ["time", "level", "logger", "ns", "msg", "pid", "ring", "seq"])
  func reservedNamesGetAnUnderscore(name: String) throws {
    let record = try EncodedRecord({ "text" }) { $0.set(name, "mine") }.json()
    #expect(record["\(name)_"] as? String == "mine")
    #expect(record[name] as? String != "mine")
    #expect(record.msg == "text")
  }

  @Test func aNameThatIsTakenGetsAnUnderscore() throws {
    let record = try EncodedRecord({ "\(1, "a") \(2, "a")" }) { $0["a"] = 3 }.json()
    #expect([record.integer("a"), record.integer("a_"), record.integer("a__")] == [1, 2, 3])
  }

  /// Whatever names a record uses, no two of its object are the same: readers keep only one of them.
  @Test func noTwoNamesAreTheSame() throws {
    var random = SeededGenerator("names")
    let names = ["a", "a_", "a__", "b", "time", "time_", "msg", "msg_", "seq__", "treering.truncated"]
    for _ in 0..<2_000 {
      let chosen = (0..<Int.random(in: 1...8, using: &random)).compactMap { _ in names.randomElement(using: &random) }
      let record = try EncodedRecord({ "" }) { for (number, name) in chosen.enumerated() { $0.set(name, number) } }
        .json()
      let values = record.object.values.compactMap { ($0 as? NSNumber)?.intValue }
      // The names are read by Foundation, which keeps one of each: 7 of the record's own (pid and seq are numbers).
      #expect(record.object.count == 7 + chosen.count, "\(chosen): \(record), seed \(random.seed)")
      #expect(values.count == 2 + chosen.count, "\(chosen): \(record), seed \(random.seed)")
    }
  }

  @Test func everyCharacterIsReadBack() throws {
    let text = String(String.UnicodeScalarView((0..<0x3000).compactMap(Unicode.Scalar.init)))
    for part in [text, "\u{1B}[31mred\u{1B}[0m", "\u{FFFF}\u{10FFFF}👩‍👩‍👧", "\"quotes\" \\ / \u{2028}\u{85}"] {
      let record = EncodedRecord({ "\(part, "text")" })
      let line = try record.json()
      #expect(line.msg == part && line["text"] as? String == part)
      let raw = record.formatted(by: JSONFormatter()) ?? []
      #expect(raw.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "no control character as it is")
    }
  }

  @Test func keysAreEscapedLikeValues() throws {
    let record = try EncodedRecord({ "" }) { $0.set("a \"key\"\n\u{1B}", 1) }.json()
    #expect(record.integer("a \"key\"\n\u{1B}") == 1)
  }

  /// Unicode, table 3-8 and beyond: what is no character becomes U+FFFD, what is one stays.
  @Test(arguments: [
    ([0x61, 0xFF, 0x62], "a\u{FFFD}b"), ([0xC3], "\u{FFFD}"), ([0xC0, 0x80], "\u{FFFD}\u{FFFD}"),
    ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
    ([0xE2, 0x82, 0x41], "\u{FFFD}\u{FFFD}A"), ([0xE2, 0x82, 0xAC], "€"), ([0x80], "\u{FFFD}"),
  ])
  func invalidUTF8IsReplaced(bytes: [UInt8], text: String) throws {
    let output = OutputBuffer()
    unsafe bytes.withUnsafeBufferPointer { unsafe output.appendJSONEscaped($0) }
    #expect(unsafe String(decoding: output.bytes, as: UTF8.self) == text)
  }

  @Test(arguments: [1, 254, 255, 256, 300])
  func longKeysAreCutAt255Bytes(count: Int) throws {
    let key = String(repeating: "k", count: count)
    let record = try EncodedRecord({ "text" }) { fields in
      fields.set(key, 1)
      fields["after"] = 2
    }.json()
    #expect(record.integer(String(key.prefix(255))) == 1)
    #expect(record.integer("after") == 2)
  }

  @Test func aRecordThatIsTooLargeIsCutAndMarked() throws {
    let text = String(repeating: "é", count: 200)
    for room in [64, 100, 101, 150, 333, 400] {
      let record = try EncodedRecord(room: room, { "text \(text, "text") end" }) { $0["after"] = 1 }.json()
      #expect(record["treering.truncated"] as? Bool == true, "room \(room)")
      let msg = try #require(record.msg)
      #expect(("text " + text).hasPrefix(msg), "room \(room): cut where a character begins")
      #expect(record["after"] == nil, "what follows a cut is left out")
    }
    let whole = try EncodedRecord({ "text \(text, "text") end" }) { $0["after"] = 1 }.json()
    #expect(whole["treering.truncated"] == nil && whole.integer("after") == 1)
  }

  @Test func aStringOfMoreThan64KiBIsCut() throws {
    let text = String(repeating: "0123456789", count: 10_000)
    let record = try EncodedRecord({ "\(text)" }).json()
    #expect(record["treering.truncated"] as? Bool == true)
    let count = try #require(record.msg?.utf8.count)
    #expect(count > 65_000 && count < 65_536)
  }

  @Test func aLabelWithoutAnIdIsCarried() throws {
    var bytes = EncodedRecord({ "text" }).bytes
    // In front of the text: a segment with the label.
    let label: [UInt8] = [SegmentTag.label, 0, 5, 0] + Array("own\"l".utf8)
    let size = Int(bytes[0]) + label.count
    bytes = Array(bytes[..<24]) + label + bytes[24...] + [UInt8](repeating: 0, count: 16)
    bytes[0] = UInt8(size)
    let record = try EncodedRecord(bytes: bytes).json(label: nil)
    #expect(record.logger == "own\"l" && record.msg == "text")
  }

  @Test func noticesAreTheContracts() throws {
    func json(_ notice: StreamNotice) throws -> JSONRecord {
      let output = OutputBuffer()
      unsafe JSONFormatter().append(notice, RecordContext(time: 0, pid: 7, ring: "r.1", label: nil), to: output)
      return try JSONRecord(line: unsafe String(decoding: output.bytes, as: UTF8.self).dropLast())
    }
    let dropped = try json(
      .dropped(
        cause: .ringFull, byLevel: [(.debug, 5), (.info, 7)], total: 20, first: 1_000_000_000, last: 2_000_000_000))
    #expect(dropped.msg == "records dropped" && dropped["treering.cause"] as? String == "ring full")
    #expect(dropped.integer("treering.dropped") == 12)
    #expect(dropped["treering.levels"] as? [String: Int] == ["debug": 5, "info": 7])
    #expect(dropped["treering.first"] as? String == "1970-01-01T00:00:01.000000000Z")
    #expect(dropped["treering.last"] as? String == "1970-01-01T00:00:02.000000000Z")
    let ring = try json(.ringClosed(committed: 9, dropped: 2))
    #expect(ring.msg == "ring closed" && ring.ring == "r.1" && ring.integer("seq") == 9)
    #expect(ring.integer("treering.committed") == 9 && ring.integer("treering.dropped") == 2)
    let most = try json(
      .dropped(cause: .ringFull, byLevel: [(.debug, .max), (.info, .max)], total: .max, first: .max, last: .max))
    #expect(most.msg == "records dropped", "counters of a hostile file may be anything")
  }
}
