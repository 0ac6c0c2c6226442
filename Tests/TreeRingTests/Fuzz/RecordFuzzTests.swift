import TestSupport
import Testing

@testable import TreeRing

/// Bytes that somebody else wrote are looked at by the decoder and both formatters: any bytes at all.
///
/// `TREERING_FUZZ` is the number of cases, a million unless it is set. They run on two threads; one case in a thousand is read by Foundation as well.
@Suite struct RecordFuzzTests {
  private static let cases = environment("TREERING_FUZZ", default: 1_000_000)

  @Test(arguments: [0, 1])
  func anyBytesAreARecordOrNone(part: Int) async throws {
    var random = SeededGenerator("records, part \(part)")
    let seeds = Self.validRecords()
    let formatter = Fuzzed()
    var records = 0
    for number in 0..<Self.cases / 2 {
      let bytes = Self.bytes(number, seeds, &random)
      let line = formatter.decode(bytes)
      if line { records += 1 }
      if number % 500 == 0 { try formatter.check("seed \(random.seed), case \(number)") }
    }
    #expect(records > Self.cases / 8, "most cases are refused at once: this proves little, seed \(random.seed)")
  }

  /// In turn: noise, a valid header before noise, a mutated record, a cut one.
  private static func bytes(
    _ number: Int, _ seeds: [[UInt8]], _ random: inout SeededGenerator
  ) -> [UInt8] {
    var bytes: [UInt8]
    switch number % 4 {
    case 0:
      bytes = random.bytes(Int(random.next() % 96))
    case 1:
      let size = 24 + Int(random.next() % 72)
      bytes = random.bytes((size + 7) & ~7)
      bytes.replaceSubrange(0..<5, with: [UInt8(size), 0, 0, 0, UInt8(random.next() % 8)])
      // Segments that begin well: a known tag, small lengths.
      bytes.replaceSubrange(24..<min(28, bytes.count), with: header(&random).prefix(bytes.count - 24))
    case 2:
      bytes = seeds[Int(random.next() % UInt64(seeds.count))]
      for _ in 0...random.next() % 4 {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
    default:
      // A walk of segments that are each well-formed, in any order: unbalanced groups, keys in arrays, wrong places.
      bytes = [UInt8](repeating: 0, count: 24)
      for _ in 0...random.next() % 8 { bytes += segment(&random) }
      bytes[0] = UInt8(truncatingIfNeeded: bytes.count)
      bytes[1] = UInt8(bytes.count >> 8)
      bytes[4] = UInt8(random.next() % 7)
      bytes[5] = UInt8(truncatingIfNeeded: random.next())
      bytes += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    }
    return bytes
  }

  private static func header(_ random: inout SeededGenerator) -> [UInt8] {
    let tag = UInt8(random.next() % 14) | (random.next() % 2 == 0 ? 0x80 : 0)
    return [tag, UInt8(random.next() % 8), UInt8(random.next() % 16), 0]
  }

  private static func segment(_ random: inout SeededGenerator) -> [UInt8] {
    let tag = UInt8(random.next() % 12 + 1)
    let count: Int
    switch tag {
    case SegmentTag.literal, SegmentTag.string, SegmentTag.label: count = Int(random.next() % 12)
    case SegmentTag.bool: count = 1
    case SegmentTag.null, SegmentTag.group, SegmentTag.array, SegmentTag.end: count = 0
    default: count = 8
    }
    let key = Int(random.next() % 4)
    let flag: UInt8 = random.next() % 2 == 0 ? 0x80 : 0
    return [tag | flag, UInt8(key), UInt8(count), 0] + random.bytes(key + count)
  }

  private static func validRecords() -> [[UInt8]] {
    let missing: Int? = nil
    return [
      EncodedRecord({ "plain" }).bytes,
      EncodedRecord({ "order \(17, "order.id") of \("Ann", "customer") \(2.5) \(true, "b") \(missing, "m")" }).bytes,
      EncodedRecord({ "list \([1, 2], "list")" }) { $0.group("g") { $0.group("h") { $0["deep"] = "é" } } }.bytes,
      EncodedRecord({ "\(Duration.seconds(3), "d") \(UInt64.max, "u")" }) { $0["time"] = "\u{1B}[31m" }.bytes,
    ]
  }
}

/// A decoder and formatters that many cases go through, so that what one leaves behind meets the next.
private final class Fuzzed {
  private let json = JSONFormatter()
  private let console = ConsoleFormatter(colours: true)
  private let jsonOutput = OutputBuffer()
  private let consoleOutput = OutputBuffer()
  private var lines = 0

  /// True when the bytes begin with a record.
  func decode(_ bytes: [UInt8]) -> Bool {
    unsafe bytes.withUnsafeBytes { bytes in
      guard let record = unsafe RecordView(bytes) else { return false }
      let context = unsafe RecordContext(time: record.ticks, pid: 1, ring: "r.0", label: nil)
      unsafe json.append(record, context, to: jsonOutput)
      unsafe console.append(record, context, to: consoleOutput)
      lines += 1
      return true
    }
  }

  /// What came out since the last check is one JSON object a line, and one clean console line each.
  func check(_ what: String) throws {
    defer {
      jsonOutput.removeAll()
      consoleOutput.removeAll()
      lines = 0
    }
    let text = unsafe try #require(String(validating: unsafe jsonOutput.bytes, as: UTF8.self), "invalid UTF-8, \(what)")
    let records = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(records.count == lines, "\(what)")
    for record in records {
      #expect(throws: Never.self, "\(record), \(what)") { try JSONRecord(line: record) }
    }
    let console = unsafe try #require(
      String(validating: unsafe consoleOutput.bytes, as: UTF8.self), "invalid UTF-8, \(what)")
    #expect(console.utf8.filter { $0 == UInt8(ascii: "\n") }.count == lines, "\(what)")
    #expect(!console.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\u{1B}" }, "\(what)")
  }
}
