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

  /// What is logged never steers the reader's terminal, and never makes a second line.
  @Test func contentCannotSteerTheTerminal() {
    let hostile = "\u{1B}]0;title\u{7}\u{1B}[2Jgone\r\nfake line\u{9B}31m\u{7F}"
    let record = EncodedRecord({ "\(hostile) \(hostile, "key")" }) { $0.set(hostile, hostile) }
    for line in [record.console(label: hostile), EncodedRecord(flags: 2, { "\(hostile)" }).console(label: hostile)] {
      let scalars = line.unicodeScalars.dropLast()
      #expect(scalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }, "\(line.debugDescription)")
      #expect(line.last == "\n")
    }
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
