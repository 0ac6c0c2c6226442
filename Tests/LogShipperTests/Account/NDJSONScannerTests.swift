import Foundation
import LogShipper
import TestSupport
import Testing

@Suite struct NDJSONScannerTests {
  @Test func takesTheMembersOfTheTopObjectAlone() throws {
    let facts = try scan(SampleArchive.record("ab.7", 42, pid: 5))
    #expect(facts.ring?.description == "ab.7")
    #expect(facts.sequence == .whole(42) && facts.pid == .whole(5))
    #expect(facts.message == .other && !facts.isAboutStream && facts.repeatedName == nil)
  }

  @Test func readsEveryMemberOfANotice() throws {
    let notice = try scan(SampleArchive.notices("a.0", [2, 3], cause: "no ring")[1])
    #expect(notice.dropped == .whole(3) && notice.droppedTotal == .whole(5))
    #expect(notice.isAboutStream && notice.isWithoutRing && notice.message == .recordsDropped)
    let closed = try scan(SampleArchive.ringClosed("a.0", committed: 8, dropped: 9))
    #expect(closed.committed == .whole(8) && closed.dropped == .whole(9) && closed.message == .ringClosed)
    #expect(try scan(SampleArchive.processClosed("a", 1, rings: 6)).rings == .whole(6))
  }

  @Test func escapesMeanTheSame() throws {
    let facts = try scan(
      #"{"s\u0065q":1,"r\u0069ng":"\u0061.1","\u006dsg":"ring\u0020closed","logger":"tree\u0072ing","x\/":"\ud83d\ude00"}"#
    )
    #expect(facts.sequence == .whole(1) && facts.ring?.description == "a.1")
    #expect(facts.message == .ringClosed && facts.isAboutStream)
    #expect(try scan(#"{"ring":"a\n.1"}"#).ring == nil)
  }

  @Test(arguments: ["seq_", "_seq", "Seq", "seq ", "treering.dropped_", "se"])
  func likenessesAreOtherNames(name: String) throws {
    #expect(try scan("{\"\(name)\":1}") == AccountLine())
  }

  @Test func wholeNumbersAreWrittenWithDigitsAlone() throws {
    for (text, number) in [
      ("0", AccountLine.Number.whole(0)), ("9223372036854775807", .whole(UInt64(Int64.max))),
      ("9223372036854775808", .other), ("18446744073709551616", .other), ("99999999999999999999999", .other),
      ("1e1", .other), ("-0", .other),
      ("\"1\"", .other), ("null", .other), ("[1]", .other),
    ] {
      #expect(try scan("{\"seq\":\(text)}").sequence == number, "\(text)")
    }
  }

  @Test func ringNamesAreStrict() throws {
    for name in ["a.0", "0123456789abcdef0123456789abcdef.4294967295", "a-B_9.10"] {
      #expect(try scan("{\"ring\":\"\(name)\"}").ring?.description == name)
    }
    for name in ["", ".", "a", "a.", ".1", "a.01", "a.x", "a.4294967296", "a b.1", "é.1", "a.b.1", "x.-1"] {
      #expect(try scan("{\"ring\":\"\(name)\"}").ring == nil, "\(name)")
    }
    let tooLong = String(repeating: "a", count: 33)
    #expect(try scan("{\"ring\":\"\(tooLong).1\"}").ring == nil)
  }

  @Test func deepNestingIsRefusedWithoutRecursion() throws {
    func nested(_ depth: Int) -> String {
      "{\"a\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
    }
    _ = try scan(nested(511))
    #expect(throws: LineDefect.self) { try scan(nested(512)) }
    #expect(throws: LineDefect.self) { try scan("{\"a\":" + String(repeating: "[{\"a\":", count: 1_000_000)) }
  }

  @Test func defectsNameThePlace() {
    #expect(throws: LineDefect.self) { try scan(#"{"a" 1}"#) }
    do {
      _ = try scan(#"{"a":tru}"#)
      Issue.record("accepted")
    } catch {
      #expect(error.description == "expected a value, at byte 5")
    }
  }

  @Test(arguments: [
    "{\"a\":\"\u{7F}\"}", "{\"a\":\"é€😀\"}", " \t{ \"a\" : [ ] , \"b\" : { } }\r", "{\"a\":-0.0e-0}", "{\"\":0E+1}",
    #"{"a":"\"\\\/\b\f\n\r\t\u00e9"}"#, #"{"a":[[],{},[1,{"b":[]}]]}"#,
  ])
  func acceptsWhatTheGrammarAllows(line: String) throws { _ = try scan(line) }

  @Test(arguments: [
    [0xC0, 0xAF], [0xC1, 0x80], [0x80], [0xE0, 0x9F, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x8F, 0x80, 0x80],
    [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82], [0xFF], [0x00], [0x1F],
  ])
  func refusesBytesThatAreNotUTF8(bytes: [UInt8]) {
    #expect(throws: LineDefect.self) { try scan(Array("{\"a\":\"".utf8) + bytes + Array("\"}".utf8)) }
  }

  // MARK: agreement with Foundation

  @Test(arguments: 0..<8 as Range<UInt64>)
  func agreesWithFoundationOnGeneratedAndMutatedLines(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var (valid, invalid) = (0, 0)
    for _ in 0..<4000 {
      var maker = JSONGenerator(&generator)
      var line = maker.object()
      try Self.compare(line, &valid, &invalid)
      for _ in 0..<Int.random(in: 1...3, using: &generator) { JSONGenerator.mutate(&line, &generator) }
      try Self.compare(line, &valid, &invalid)
    }
    // Both verdicts have been put to the test.
    #expect(valid > 4000 && invalid > 1000)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func randomBytesDoNotCrash(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let alphabet = Array("{}[]\",:\\u0123456789abcdef.eE+-truefalsn \t".utf8) + [0xC3, 0xA9, 0xE2, 0x00, 0xFF]
    var accepted = 0
    for _ in 0..<20_000 {
      let length = Int.random(in: 0...40, using: &generator)
      let line = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      if (try? scan([UInt8(ascii: "{")] + line)) != nil { accepted += 1 }
    }
    #expect(accepted > 0)
  }

  private static func compare(_ line: [UInt8], _ valid: inout Int, _ invalid: inout Int) throws {
    // Foundation guesses UTF-16 and UTF-32 from zeros at the start, and takes a byte order mark.
    if line.prefix(4).contains(0) || line.starts(with: [0xEF, 0xBB, 0xBF]) || line.starts(with: [0xFF, 0xFE]) {
      return
    }
    let facts = try? scan(line)
    let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
    if facts != nil { valid += 1 } else { invalid += 1 }
    if (facts != nil) != (object != nil) {
      // The grammar allows half a surrogate pair and numbers of any size, Foundation does not; but it takes a comma before an end.
      let text = String(decoding: line, as: UTF8.self).lowercased()
      if facts == nil, text.contains(/,[ \t\r\n]*[}\]]/) { return }
      if facts != nil, text.contains("\\ud") || text.contains(/[0-9]e\+?[0-9]{2,}/) { return }
    }
    #expect((facts != nil) == (object != nil), "\(String(decoding: line, as: UTF8.self))")
    if let facts, let object, facts.repeatedName == nil { try check(facts, object, line) }
  }

  private static func check(_ facts: AccountLine, _ object: [String: Any], _ line: [UInt8]) throws {
    if case .whole(let number) = facts.sequence {
      #expect((object["seq"] as? NSNumber)?.uint64Value == number, "\(String(decoding: line, as: UTF8.self))")
    }
    #expect((facts.sequence == .absent) == (object["seq"] == nil), "\(String(decoding: line, as: UTF8.self))")
    #expect(facts.isAboutStream == (object["logger"] as? String == "treering"))
    if let ring = facts.ring { #expect(object["ring"] as? String == ring.description) }
    #expect((facts.message == .ringClosed) == (object["msg"] as? String == "ring closed"))
  }
}

/// Makes random records, and spoils them.
private struct JSONGenerator {
  private var generator: SeededGenerator
  private var bytes: [UInt8] = []

  init(_ generator: inout SeededGenerator) {
    self.generator = SeededGenerator(seed: generator.next())
  }

  mutating func object() -> [UInt8] {
    bytes = []
    members(depth: 0)
    return bytes
  }

  private mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int.random(in: choices.indices, using: &generator)]
  }

  private mutating func blank() { bytes += Array(pick(["", "", "", " ", "\t", "\r", "  "]).utf8) }

  private mutating func members(depth: Int) {
    bytes.append(UInt8(ascii: "{"))
    var used = Set<String>()
    for _ in 0..<Int.random(in: 0...6, using: &generator) {
      let name = pick([
        "seq", "ring", "msg", "logger", "pid", "a", "é", "s\\u0065q2", "\\n", "treering.dropped", "", "seq_",
      ])
      if !used.insert(name).inserted { continue }
      if used.count > 1 { bytes.append(UInt8(ascii: ",")) }
      blank()
      bytes += Array("\"\(name)\"".utf8)
      blank()
      bytes.append(UInt8(ascii: ":"))
      blank()
      value(depth: depth + 1)
      blank()
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private mutating func value(depth: Int) {
    switch Int.random(in: 0...(depth > 6 ? 3 : 5), using: &generator) {
    case 0: bytes += Array("\(UInt64.random(in: 0...20_000_000_000, using: &generator))".utf8)
    case 1: bytes += Array(pick(["0", "-1", "1.5", "2e3", "-0.25E-2", "true", "false", "null"]).utf8)
    case 2, 3:
      bytes += Array(
        pick([
          "\"\"", "\"ab.1\"", "\"treering\"", "\"ring closed\"", "\"r\\u0069ng closed\"", "\"\\\"seq\\\":1\"",
          "\"é€😀\"",
          "\"\\ud83d\\ude00\"", "\"\\\\\"", "\"{[\"",
        ]).utf8)
    case 4: members(depth: depth)
    default:
      bytes.append(UInt8(ascii: "["))
      for index in 0..<Int.random(in: 0...3, using: &generator) {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        blank()
        value(depth: depth + 1)
        blank()
      }
      bytes.append(UInt8(ascii: "]"))
    }
  }

  static func mutate(_ line: inout [UInt8], _ generator: inout SeededGenerator) {
    guard !line.isEmpty else { return }
    let index = Int.random(in: line.indices, using: &generator)
    let byte =
      Array("{}[]\",:\\u019.eE+-tfn x\u{1}é".utf8).randomElement(using: &generator) ?? UInt8.random(in: 0...255)
    switch Int.random(in: 0...4, using: &generator) {
    case 0: line.remove(at: index)
    case 1: line.insert(byte, at: index)
    case 2: line[index] = byte
    case 3: line[index] = UInt8.random(in: 0...255, using: &generator)
    default: line.removeLast(Int.random(in: 1...min(line.count, 4), using: &generator))
    }
  }
}
