import CTreeRing
import TestSupport
import Testing

@testable import TreeRing

/// A usual record's line is put together from its site's plan, any other by a walk over its segments. Both must come to the same bytes, whatever the
/// record and the template hold.
///
/// `TREERING_FUZZ` is the number of cases, a million unless it is set; this takes a tenth of it.
@Suite struct PlannedLineTests {
  private static let cases = environment("TREERING_FUZZ", default: 1_000_000) / 10

  @Test(arguments: [0, 1])
  func bothWaysSpellAlike(part: Int) throws {
    var random = SeededGenerator("planned lines, part \(part)")
    let pairs = Pairs()
    for number in 0..<Self.cases / 2 {
      let site = FuzzedSite(&random)
      let bytes = site.record(&random)
      let label = random.next() % 8 == 0 ? FuzzedValue.text(&random, upTo: 20) : "shop.checkout"
      try pairs.compare(bytes, site.template, label: label, "case \(number), seed \(random.seed)")
    }
    #expect(pairs.planned > Self.cases / 2, "few lines went by a plan: this proves little, seed \(random.seed)")
    #expect(pairs.other > Self.cases / 2, "few lines went the general way: this proves little, seed \(random.seed)")
  }

  /// No value of a usual record may send it the long way by itself.
  @Test func aUsualRecordGoesByItsPlan() throws {
    let site = FuzzedSite([
      .literal("order "), .key("order.id"), .literal(" of "), .key(""), .literal(", \"total\" "), .key("total"),
      .key("vip"), .key("note"), .key("took"),
    ])
    let values: [FuzzedSite.Value] = [
      .word(SegmentTag.int, 17), .text(Array("Zoë".utf8)), .word(SegmentTag.double, 12.5.bitPattern), .bool(1), .null,
      .word(SegmentTag.duration, 1_500_000_000),
    ]
    let bytes = FuzzedSite.record(values.flatMap { $0.bytes(isFieldOnly: false) })
    let pairs = Pairs()
    let lines = try pairs.compare(bytes, site.template, label: "shop", "a usual record")
    #expect(pairs.other == 0)
    let json = try #require(lines.first)
    #expect(json.contains(#""msg":"order 17 of Zoë, \"total\" 12.5truenull1.5 s""#))
    #expect(json.hasSuffix(#","order.id":17,"total":12.5,"vip":true,"note":null,"took":1.5}"# + "\n"))
  }
}

/// Formatters, each twice: one goes by plans, the other never does.
private final class Pairs {
  private(set) var planned = 0
  private(set) var other = 0
  private let json = (JSONFormatter(), JSONFormatter())
  private let consoles = [(false, true), (true, true), (false, false)].map { colours, isMultiline in
    (
      ConsoleFormatter(colours: colours, isMultiline: isMultiline, debug: .plain),
      ConsoleFormatter(colours: colours, isMultiline: isMultiline, debug: .plain)
    )
  }

  /// Returns the lines.
  @discardableResult
  func compare(_ bytes: [UInt8], _ template: RecordTemplate, label: String, _ what: String) throws -> [String] {
    // Of exactly the record's size, so that a sanitizer sees a look behind its end.
    try unsafe bytes.withUnsafeBytes { bytes in
      guard var record = unsafe RecordView(bytes) else { return [] }
      unsafe record.complete(with: template)
      var label = label
      return try label.withUTF8 { label in
        var context = unsafe RecordContext(
          time: record.ticks, pid: 7, ring: "0123456789abcdef0123456789abcdef.12", label: UnsafeRawBufferPointer(label))
        unsafe context.isLabelPlain = Escape.isPlainInEveryFormat(label)
        return unsafe try lines(record, context, what)
      }
    }
  }

  private func lines(_ record: RecordView, _ context: RecordContext, _ what: String) throws -> [String] {
    let json = try line(what, { unsafe self.json.0.appendPlanned(record, context, to: $0) }) {
      unsafe self.json.1.appendAny(record, context, to: $0)
    }
    return try [json]
      + consoles.map { pair in
        try line(what, { unsafe pair.0.appendPlanned(record, context, to: $0) }) {
          unsafe pair.1.appendAny(record, context, to: $0)
        }
      }
  }

  private func line(
    _ what: String, _ plan: (OutputBuffer) -> Bool, _ general: (OutputBuffer) -> Void
  ) throws -> String {
    // Without any room to spare: what a line claims to need is what it gets.
    let (one, two) = (OutputBuffer(capacity: 1), OutputBuffer(capacity: 1))
    general(two)
    if plan(one) {
      planned += 1
      let (one, two) = unsafe (String(decoding: one.bytes, as: UTF8.self), String(decoding: two.bytes, as: UTF8.self))
      try #require(one.utf8.elementsEqual(two.utf8), "\(one) is not \(two), \(what)")
    } else {
      other += 1
      try #require(one.count == 0, "what was begun is left, \(what)")
    }
    return unsafe String(decoding: two.bytes, as: UTF8.self)
  }
}

/// A call site that a test makes up, and records of it.
struct FuzzedSite {
  enum Piece {
    case literal(String)
    case key(String)
  }

  /// A value as a call writes it that the site knows.
  enum Value {
    case word(UInt8, UInt64)
    case text([UInt8])
    case bool(UInt8)
    case null
    case other([UInt8])

    func bytes(isFieldOnly: Bool) -> [UInt8] {
      let flags = SegmentTag.expected | (isFieldOnly ? SegmentTag.fieldOnly : 0)
      switch self {
      case .word(let tag, let word): return [tag | flags] + (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
      case .text(let text): return [SegmentTag.string | flags, UInt8(text.count & 0xFF), UInt8(text.count >> 8)] + text
      case .bool(let byte): return [SegmentTag.bool | flags, byte]
      case .null: return [SegmentTag.null | flags]
      case .other(let bytes): return bytes
      }
    }
  }

  let template: RecordTemplate
  private let keys: Int

  init(_ pieces: [Piece]) {
    var bytes: [UInt8] = []
    var ranges: [(isKey: Bool, text: Range<Int>)] = []
    var keys = 0
    for piece in pieces {
      let start = bytes.count
      switch piece {
      case .literal(let text):
        bytes += Array(text.utf8)
        ranges.append((false, start..<bytes.count))
      case .key(let name):
        bytes += Array(name.utf8)
        ranges.append((true, start..<bytes.count))
        keys += 1
      }
    }
    self.keys = keys
    template = RecordTemplate(bytes: bytes, pieces: ranges, file: "M/F.swift", line: 1, column: 1)
  }

  /// Mostly such as programs have, with names of which some are taken, or there twice, or none.
  init(_ random: inout SeededGenerator) {
    let names = [
      "order.id", "user", "order.total", "k", "a.rather.long.name.of.a.field", "", "time", "e\"", "x", "y", "z",
    ]
    self.init(
      (0..<random.next() % 9).map { _ in
        let usual = random.next() % 16 > 0
        if random.next() % 2 == 0 {
          return .literal(usual ? "text that is plain ".prefixed(&random) : FuzzedValue.text(&random, upTo: 40))
        }
        return .key(usual ? names[Int(random.next() % UInt64(names.count))] : FuzzedValue.text(&random, upTo: 12))
      })
  }

  /// A record of the site: as a call writes it, and in a part of the cases cut, longer, or with other bytes in it.
  func record(_ random: inout SeededGenerator) -> [UInt8] {
    let count = random.next() % 16 == 0 ? Int(random.next() % 9) : keys
    var segments = (0..<count).flatMap { _ in Self.value(&random).bytes(isFieldOnly: random.next() % 4 == 0) }
    if random.next() % 32 == 0 { segments += random.bytes(Int(random.next() % 8)) }
    if random.next() % 32 == 0 { segments.removeLast(min(segments.count, Int(random.next() % 8))) }
    if random.next() % 16 == 0, !segments.isEmpty {
      segments[Int(random.next() % UInt64(segments.count))] = UInt8(truncatingIfNeeded: random.next())
    }
    return Self.record(
      segments, level: UInt8(random.next() % 7), flags: random.next() % 32 == 0 ? UInt8(random.next() % 8) : 0,
      ticks: random.next() >> (random.next() % 8), sequence: random.next() >> (random.next() % 64))
  }

  private static func value(_ random: inout SeededGenerator) -> Value {
    switch random.next() % 20 {
    case 0: .null
    case 1: .bool(UInt8(random.next() % 3))
    case 2: .word(SegmentTag.duration, random.next() >> (random.next() % 64))
    case 3, 4: .word(SegmentTag.uint, random.next() >> (random.next() % 64))
    case 5: .word(SegmentTag.double, random.next())
    case 6, 7, 8:
      .word(SegmentTag.double, (Double(Int64(random.next() % 2_000_000_000) - 1_000_000_000) / 1000).bitPattern)
    case 9, 10, 11: .word(SegmentTag.int, random.next() >> (random.next() % 64))
    case 12: .word(SegmentTag.int, UInt64(bitPattern: -Int64(random.next() >> 1)))
    case 13: .text(Array(FuzzedValue.text(&random, upTo: 60).utf8))
    case 14: .text(random.bytes(Int(random.next() % 20)))
    case 15: .other([SegmentTag.position, 0, 2, 0, UInt8(random.next() % 6), random.next() % 2 == 0 ? 0x80 : 0])
    default: .text(Array("margarete.steiner and many others, as plain as can be".utf8.prefix(Int(random.next() % 54))))
    }
  }

  /// Bytes with a header, padded.
  static func record(
    _ segments: [UInt8], level: UInt8 = 2, flags: UInt8 = 0, ticks: UInt64 = 1, sequence: UInt64 = 4711
  ) -> [UInt8] {
    let size = RecordLayout.headerSize + segments.count
    let header = TRRecord(
      size: UInt16(size), site: 9, level: level, flags: flags, label: 1, ticks: ticks, sequence: sequence)
    let fixed = unsafe withUnsafeBytes(of: header) { unsafe [UInt8]($0) }
    return fixed + segments + [UInt8](repeating: 0, count: -size & 7)
  }
}

extension String {
  fileprivate func prefixed(_ random: inout SeededGenerator) -> String { String(prefix(Int(random.next() % 20))) }
}
