import TestSupport
import Testing

@testable import TreeRing

@Suite struct ConsoleFormatterTests {
  private let time: UInt64 = 1_767_323_045_678_901_234

  @Test func aLineForPeople() {
    let record = EncodedRecord(level: .warning, { "disk \(91, "percent") % full" }) {
      $0["disk"] = "sda"
      $0["mounted"] = true
    }
    #expect(
      record.console(label: "shop.disk", time: time)
        == "2026-01-02T03:04:05.678Z WARNING  shop.disk  disk 91 % full  disk=sda  mounted=true\n")
  }

  @Test(arguments: Level.allCases)
  func everyLevelHasAColumnOfTheSameWidth(level: Level) {
    let line = EncodedRecord(level: level, { "text" }).console(time: time)
    #expect(line.dropFirst(25).prefix(9) == (level.name.uppercased() + "         ").prefix(9))
    #expect(line.hasSuffix(" test  text\n"))
  }

  @Test func coloursAreOnlyWhereTheyAreWanted() {
    let record = EncodedRecord(level: .error, { "text" }) { $0["a"] = 1 }
    #expect(!record.console(colours: false).contains("\u{1B}"))
    let coloured = record.console(colours: true)
    #expect(coloured.contains("\u{1B}[31mERROR"))
    var plain = coloured
    for code in ["\u{1B}[2m", "\u{1B}[31m", "\u{1B}[36m", "\u{1B}[0m"] { plain = plain.split(code) }
    #expect(plain == record.console(colours: false))
  }

  /// What is logged never steers the reader's terminal, and never makes a line that begins like a record.
  @Test func contentCannotSteerTheTerminal() {
    let hostile = "\u{1B}]0;title\u{7}\u{1B}[2Jgone\r\nfake line\u{9B}31m\u{7F}"
    let record = EncodedRecord({ "\(hostile) \(hostile, "key")" }) { $0.set(hostile, hostile) }
    for line in [record.console(label: hostile), EncodedRecord(flags: 2, { "\(hostile)" }).console(label: hostile)] {
      let scalars = line.unicodeScalars.filter { $0 != "\n" }
      #expect(scalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }, "\(line.debugDescription)")
      #expect(line.last == "\n")
      let lines = line.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count > 1 && lines.dropFirst().allSatisfy { $0.hasPrefix("    fake line") })
    }
  }

  /// Nor does it turn the line around, so that it seems to say something else. Languages that are written from the right, and joined emoji, stay as they are.
  @Test func contentCannotTurnTheLineAround() {
    let marks =
      "\u{61C}\u{200E}\u{200F}\u{2028}\u{2029}\u{202A}\u{202B}\u{202C}\u{202D}\u{202E}\u{2066}\u{2067}\u{2068}\u{2069}"
    let record = EncodedRecord({ "\(marks) \(marks, "key")" }) { $0.set("a" + marks, marks) }
    let line = record.console(label: "l" + marks)
    #expect(!line.unicodeScalars.contains { $0.ordersText }, "\(line.debugDescription)")
    #expect(line.contains("\\u061c\\u200e\\u200f\\u2028") && line.contains("\\u202e\\u2066"))
    let whole = "שלום مرحبا 👩‍👩‍👧 “…” – €"
    #expect(EncodedRecord({ "\(whole)" }).console().contains(whole))
  }

  @Test func aTextKeepsItsLines() {
    let trace = "failed:\n  at one\r\n\tat two\n\n"
    let record = EncodedRecord({ "call \(trace)." }) { $0["trace"] = "a\nb" }
    #expect(
      record.console(label: "shop").dropFirst(34)
        == "shop  call failed:\n      at one\n    \\tat two\n    \n    .  trace=\"a\\nb\"\n")
    let single = record.formatted(by: ConsoleFormatter(colours: false, isMultiline: false), label: "shop") ?? []
    #expect(single.filter { $0 == 10 }.count == 1)
    let channel = EncodedRecord(flags: RecordFlags.channel, { "one\n\("two\nthree")" })
    #expect(channel.console(label: "app").dropFirst(25) == "app one\n    two\n    three\n")
    let coloured = channel.console(colours: true, label: "app").split(separator: "\n")
    let prefixes = Set(coloured.map { $0.prefix { $0 != "m" } })
    #expect(coloured.count == 3 && prefixes.count == 1, "each line has the name in front, as npm's")
  }

  @Test func fieldsCannotRunIntoEachOther() {
    let record = EncodedRecord({ "" }) { fields in
      fields["error"] = "no such file  disk=sda"
      fields.group("user") { user in
        user["id"] = 7
        user["tags"] = ["a", "b"]
      }
      fields["took"] = Duration.milliseconds(1_500)
    }
    #expect(
      record.console().hasSuffix(
        #"  error="no such file  disk=sda"  user.id=7  user.tags="[\"a\",\"b\"]"  took=1.5s"# + "\n"))
  }

  @Test func aDebugChannelLooksAsInNpm() {
    let record = EncodedRecord(level: .debug, flags: RecordFlags.channel, { "hello \(3, "n")" })
    #expect(record.console(label: "worker:a", time: time) == "2026-01-02T03:04:05.678Z worker:a hello 3\n")
    let coloured = record.console(colours: true, label: "worker:a", time: time)
    #expect(coloured.hasPrefix("  \u{1B}[3") && coloured.contains(";1mworker:a \u{1B}[0mhello 3"))
  }

  @Test func aTruncatedRecordSaysSo() {
    let text = String(repeating: "x", count: 500)
    #expect(EncodedRecord(room: 100, { "\(text)" }).console().hasSuffix("  (truncated)\n"))
  }
}

extension String {
  /// Without `code`.
  fileprivate func split(_ code: String) -> String {
    var rest = self[...]
    var result = ""
    while let range = rest.firstRange(of: code) {
      result += rest[..<range.lowerBound]
      rest = rest[range.upperBound...]
    }
    return result + rest
  }
}
