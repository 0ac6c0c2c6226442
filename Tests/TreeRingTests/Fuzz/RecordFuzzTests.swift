import TestSupport
import Testing

@testable import TreeRing

/// Bytes that somebody else wrote are looked at by the decoder and the formatters: any bytes at all.
///
/// `TREERING_FUZZ` is the number of cases, a million unless it is set. They run on two threads; every line is read by an independent reader of its format.
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

/// A decoder and formatters that many cases go through, so that what one leaves behind meets the next. JSON and console see every record; the others
/// take turns.
private final class Fuzzed {
  private let json = Target(JSONFormatter(), check: LineCheck.json)
  private let console = Target(ConsoleFormatter(colours: false), check: LineCheck.console)
  private let others = [
    Target(ConsoleFormatter(colours: true, isMultiline: false), check: LineCheck.text(escapes: true)),
    Target(LogfmtFormatter(), check: LineCheck.logfmt),
    Target(BunyanFormatter(), check: LineCheck.json),
    Target(LineCheck.syslog(.rfc5424), check: LineCheck.structured),
    Target(LineCheck.syslog(.rfc3164), check: LineCheck.text(escapes: false, limit: LineCheck.syslogBytes)),
    Target(JournalFormatter(SyslogOptions()), check: LineCheck.journal),
  ]
  private var turn = 0

  /// True when the bytes begin with a record.
  func decode(_ bytes: [UInt8]) -> Bool {
    unsafe bytes.withUnsafeBytes { bytes in
      guard let record = unsafe RecordView(bytes) else { return false }
      unsafe json.append(record)
      unsafe console.append(record)
      turn = (turn + 1) % others.count
      unsafe others[turn].append(record)
      return true
    }
  }

  /// What came out since the last check is what its format promises.
  func check(_ what: String) throws {
    for target in [json, console] + others { try target.check(what) }
  }

  private final class Target {
    private let formatter: any Formatter
    private let output = OutputBuffer()
    private let checkLine: (Substring, String) throws -> Void
    private var records = 0

    init(_ formatter: any Formatter, check: @escaping (Substring, String) throws -> Void) {
      self.formatter = formatter
      checkLine = check
    }

    func append(_ record: RecordView) {
      let context = unsafe RecordContext(time: record.ticks, pid: 1, ring: "r.0", label: nil)
      unsafe formatter.append(record, context, to: output)
      records += 1
    }

    func check(_ what: String) throws {
      defer {
        output.removeAll()
        records = 0
      }
      let bytes = unsafe Array(output.bytes)
      // The journal's lines use two bytes that UTF-8 never has: that they are lines is what it checks itself.
      let isJournal = formatter is JournalFormatter
      let text = isJournal ? bytes.map { $0 < 0xFE ? $0 : 1 } : bytes
      let decoded = try #require(String(validating: text, as: UTF8.self), "invalid UTF-8, \(formatter), \(what)")
      // A console's line that begins with a blank belongs to the record above.
      let lines = decoded.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        .map { Substring($0) }
      #expect(lines.count { !$0.utf8.starts(with: "    ".utf8) } == records, "\(formatter), \(what)")
      for line in lines { try checkLine(line, "\(formatter), \(what)") }
    }
  }
}

/// What a line of each format must be.
private enum LineCheck {
  static let syslogBytes = 600

  static func syslog(_ standard: SyslogOptions.Standard) -> SyslogFormatter {
    SyslogFormatter(SyslogOptions(application: "app"), standard: standard, maximumBytes: syslogBytes)
  }

  static func json(_ line: Substring, _ what: String) throws {
    #expect(throws: Never.self, "\(line), \(what)") { try JSONRecord(line: line) }
  }

  static func console(_ line: Substring, _ what: String) throws { try text(escapes: false)(line, what) }

  /// No control characters; `escapes`: but those that colour.
  static func text(escapes: Bool, limit: Int = .max) -> (Substring, String) throws -> Void {
    { line, what in
      let isClean = line.unicodeScalars.allSatisfy {
        $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) || escapes && $0 == "\u{1B}"
      }
      #expect(isClean && line.utf8.count <= limit, "\(line.debugDescription), \(what)")
    }
  }

  static func logfmt(_ line: Substring, _ what: String) throws {
    try text(escapes: false)(line, what)
    let names = try LogfmtReader.pairs(String(line)).map(\.name)
    #expect(names.prefix(3) == ["time", "level", names.contains("ns") ? "ns" : "logger"], "\(line), \(what)")
    #expect(Set(names).count == names.count, "a name is there twice: \(line), \(what)")
  }

  static func structured(_ line: Substring, _ what: String) throws {
    try text(escapes: false, limit: syslogBytes)(line, what)
    #expect(throws: Never.self, "\(what)") { try SyslogMessage(String(line)) }
  }

  /// Variables by journald's rules, and no other line feed.
  static func journal(_ line: Substring, _ what: String) throws {
    #expect(line.utf8.starts(with: "MESSAGE=".utf8), "\(line.debugDescription), \(what)")
  }
}
