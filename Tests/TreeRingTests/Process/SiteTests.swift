import CTreeRing
import TestSupport
import Testing

@testable import TreeRing

/// A record that leaves out what its call site's first record has said reads as if it had said it.
@Suite struct SiteTests {
  /// Drained by the process itself, and recovered from its ring file by this one.
  @Test(arguments: [false, true]) func everyRecordOfASiteIsWhole(isExternal: Bool) throws {
    var run = try StormRun(["DEBUG": "*"])
    if isExternal { run.environment["TREERING_WRITER"] = "external" }
    try run.finish("sites", "6")
    if isExternal { try run.recover(into: run.log) }
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    // What is cut loses its last fields.
    let shapes = Dictionary(grouping: account.records) {
      $0.msg?.hasPrefix("cut ") == true ? "long" : $0["shape"] as? String ?? "none"
    }
    #expect(shapes["none"] == nil, "\(shapes["none"] ?? [])")
    for round in 0..<6 { try check(shapes, round) }
    #expect(shapes["same"]?.count == 24)
  }

  private func check(_ shapes: [String: [JSONRecord]], _ round: Int) throws {
    func record(_ shape: String) throws -> JSONRecord { try #require(shapes[shape]?[round], "\(shape) \(round)") }
    let usual = try record("usual")
    #expect(usual.msg == "usual \(round) of text \(round) is \(Double(round) / 2) end")
    #expect(usual.integer("round") == round && usual["text"] as? String == "text \(round)")
    #expect(usual["half"] as? Double == Double(round) / 2 && usual["even"] as? Bool == (round % 2 == 0))
    let optional = try record("optional")
    #expect(optional.msg == "optional \(round % 2 == 0 ? "null" : "odd") end \(round)")
    let array = try record("array")
    #expect(array.msg == "array [\((0..<round).map(String.init).joined(separator: ", "))] end \(round)")
    #expect(array["values"] as? [Int] == Array(0..<round))
    try checkFields(record, round)
    let generic = try record("generic")
    #expect(generic.msg == "generic \(["\(round)", "text", "[\(round), \(round)]", "2.5"][round % 4]) end \(round)")
    let outer = try record("outer")
    #expect(outer.msg == "outer \(round) end" && outer.integer("inner") == round)
    let inner = try record("inner")
    #expect(inner.msg == "inner \(round) end" && inner.integer("round") == round)
    try checkLong(record("long"), round)
    let many = try record("many")
    #expect(many.msg == "many \(round) 1 2 3 4 5 6 7 8 9 10 11 12 13 14 \(round) end")
    #expect(many.integer("a") == round && many.integer("o") == 14 && many.integer("p") == round)
    let context = try record("context")
    #expect(context.msg == "with context \(round) end" && context.integer("context") == round)
    let texts = ["first \(round) end", "second", "first \(round)", "\(round) first ", ""]
    for (index, text) in texts.enumerated() { #expect(try record("macro \(index + 1)").msg == text) }
    #expect(try record("macro 1").integer("round") == round && record("macro 3").integer("other") == round)
    #expect(try record("macro 3").integer("round") == nil && record("macro 4").integer("round") == round)
    let channel = try record("channel")
    #expect(channel.msg == "channel \(round) end" && channel.integer("round") == round)
  }

  private func checkFields(_ record: (String) throws -> JSONRecord, _ round: Int) throws {
    let conditional = try record("conditional")
    #expect(conditional.msg == "conditional \(round) end")
    #expect(conditional.integer("even") == (round % 2 == 0 ? round : nil))
    #expect(conditional["one"] as? String == (round % 3 == 1 ? "of three" : nil))
    #expect(conditional.integer("late") == (round > 1 ? round : nil))
    let nested = try record("nested")
    let group = try #require(nested["group"] as? [String: Any])
    #expect(nested.msg == "nested \(round) end" && nested.integer("after") == round)
    #expect(group["inner"] as? Int == round)
    #expect((group["deeper"] as? [String: Any])?["text"] as? String == (round > 0 ? "deep \(round)" : nil))
    let keys = try record("keys")
    #expect(keys.msg == "run-time keys \(round) end" && keys.integer("last") == round)
    for index in 0...round { #expect(keys.integer("key \(round) \(index)") == index) }
    let key = try record("key")
    #expect(key.msg == "a key \(round) in the text end" && key.integer("key \(round)") == round)
    let error = try record("error")
    #expect(error.msg == "failed \(round)" && error.integer("round") == round)
    #expect(error["error.message"] as? String == (round == 1 ? nil : "failure \(round)"))
  }

  private func checkLong(_ record: JSONRecord, _ round: Int) {
    let isCut = round % 2 == 1
    #expect(record["treering.truncated"] as? Bool == (isCut ? true : nil))
    #expect(record.msg?.hasPrefix("cut long long ") == true)
    if !isCut { #expect(record.msg == "cut long long  end" && record.integer("after") == round) }
  }
}

/// The reader's half: any bytes, any template.
@Suite struct RecordTemplateTests {
  private func template(_ pieces: [(isKey: Bool, text: String)]) -> RecordTemplate {
    var bytes: [UInt8] = []
    let ranges = pieces.map { piece in
      defer { bytes += Array(piece.text.utf8) }
      return (piece.isKey, bytes.count..<bytes.count + piece.text.utf8.count)
    }
    return RecordTemplate(bytes: bytes, pieces: ranges, file: "M/F.swift", line: 1, column: 1)
  }

  private func json(_ segments: [UInt8], _ template: RecordTemplate) throws -> JSONRecord {
    var bytes = [UInt8](repeating: 0, count: 24) + segments
    bytes[0] = UInt8(bytes.count)
    bytes[2] = 9
    bytes += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    let output = OutputBuffer()
    try unsafe bytes.withUnsafeBytes {
      var view = unsafe try #require(RecordView($0))
      unsafe view.complete(with: template)
      unsafe JSONFormatter().append(view, RecordContext(time: 0, pid: 1, ring: "r.0", label: nil), to: output)
    }
    return unsafe try JSONRecord(line: String(decoding: unsafe output.bytes, as: UTF8.self).dropLast())
  }

  @Test func literalsAndKeysComeFromTheTemplate() throws {
    let template = template([(false, "a "), (true, "k"), (false, " b "), (true, "l"), (false, " c"), (true, "m")])
    let seven: [UInt8] = [7, 0, 0, 0, 0, 0, 0, 0]
    let int = [SegmentTag.int | SegmentTag.expected] + seven
    let text = [SegmentTag.string | SegmentTag.expected, 2, 0] + Array("xy".utf8)
    let whole = try json(int + text + [SegmentTag.bool | SegmentTag.expected | SegmentTag.fieldOnly, 1], template)
    #expect(whole.msg == "a 7 b xy c")
    #expect(whole.integer("k") == 7 && whole["l"] as? String == "xy" && whole["m"] as? Bool == true)
    #expect(try json(int + text, template).msg == "a 7 b xy c", "fields at the end may be missing")
    let inFull: [UInt8] = [SegmentTag.string, 1, 1, 0] + Array("z!".utf8)
    let position: [UInt8] = [SegmentTag.position, 0, 2, 0, 3, 0]
    let other = try json(int + position + inFull, template)
    #expect(other.msg == "a 7 b !" && other["z"] as? String == "!")
  }

  /// Values beyond the template, positions beyond it, cut values: no crash, one line.
  @Test func aTemplateThatDoesNotFitIsNoDanger() throws {
    var random = SeededGenerator("templates")
    for number in 0..<20_000 {
      let pieces = (0..<Int(random.next() % 6)).map { _ in
        (random.next() % 2 == 0, String(repeating: "p", count: Int(random.next() % 4)))
      }
      var segments: [UInt8] = []
      for _ in 0..<Int(random.next() % 6) {
        let tag = UInt8(random.next() % 14)
        if random.next() % 3 == 0 {
          segments += [tag, 0, UInt8(random.next() % 9), 0]
        } else {
          segments += [tag | SegmentTag.expected | (random.next() % 2 == 0 ? SegmentTag.fieldOnly : 0)]
        }
        segments += random.bytes(Int(random.next() % 10))
      }
      #expect(throws: Never.self, "case \(number), seed \(random.seed)") { try json(segments, template(pieces)) }
    }
  }

  /// A site table that somebody else wrote.
  @Test func anyTableIsReadSafely() {
    var random = SeededGenerator("site tables")
    var found = 0
    for _ in 0..<20_000 {
      let offset = SiteTable.firstEntry + Int(random.next() % 64)
      var table = random.bytes(256)
      if random.next() % 2 == 0 { table[0..<4] = [UInt8(random.next() % 200 + 14), 0, 0, 0] }
      if random.next() % 2 == 0 { table[10..<14] = [UInt8(random.next() % 5), 0, UInt8(random.next() % 20), 0] }
      let template = SiteTable.template(7) { at, count in
        if at == 28 { return unsafe withUnsafeBytes(of: UInt32(offset).littleEndian, Array.init) }
        let start = at - offset
        return start >= 0 && start + count <= table.count ? Array(table[start..<start + count]) : nil
      }
      if let template { found += unsafe template.pieces.count >= 0 ? 1 : 0 }
    }
    #expect(found > 100, "nearly every table is refused: this proves little")
    for id: UInt16 in [0, 1, 4096, .max] { #expect(SiteTable.template(id) { _, _ in [0, 64, 0, 0] } == nil) }
  }
}
