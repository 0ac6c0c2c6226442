import TestSupport
import Testing

@testable import TreeRing

extension EncodedRecord {
  /// As text, without the line feed that it must end with.
  func line(by formatter: any Formatter, label: String? = "test", time: UInt64 = 0) throws -> String {
    let bytes = formatted(by: formatter, label: label, time: time) ?? []
    let line = try #require(String(validating: bytes, as: UTF8.self), "invalid UTF-8: \(bytes)")
    try #require(line.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1 && line.hasSuffix("\n"), "\(line)")
    return String(line.dropLast())
  }
}

/// A notice as a formatter spells it.
func line(of notice: StreamNotice, by formatter: any Formatter) throws -> String {
  let output = OutputBuffer()
  unsafe formatter.append(notice, RecordContext(time: 0, pid: 7, ring: "r.1", label: nil), to: output)
  let line = try #require(unsafe String(validating: output.bytes, as: UTF8.self))
  try #require(line.hasSuffix("\n"))
  return String(line.dropLast())
}

@Suite struct LogfmtFormatterTests {
  private func pairs(_ record: EncodedRecord) throws -> [String: String] {
    let pairs = try LogfmtReader.pairs(record.line(by: LogfmtFormatter()))
    try #require(Set(pairs.map(\.name)).count == pairs.count, "a name is there twice: \(pairs)")
    return Dictionary(uniqueKeysWithValues: pairs)
  }

  @Test func aRecordIsALineOfPairs() throws {
    let record = EncodedRecord(level: .warning, sequence: 41, { "disk \(91, "percent") % full" }) { $0["disk"] = "sda" }
    #expect(
      try record.line(by: LogfmtFormatter(), label: "shop.disk", time: 1_767_323_045_678_901_234)
        == "time=2026-01-02T03:04:05.678901234Z level=warning logger=shop.disk msg=\"disk 91 % full\" pid=1 ring=r.0 seq=41 "
        + "percent=91 disk=sda")
    let channel = EncodedRecord(level: .debug, flags: RecordFlags.channel, { "row" })
    #expect(try channel.line(by: LogfmtFormatter(), label: "shop:db").contains(" level=debug ns=shop:db msg=\"row\" "))
  }

  /// What stands bare, and what needs quotes, as Go's writers do it.
  @Test(arguments: [
    ("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""),
    ("say \"x\"", #""say \"x\"""#),
    (#"C:\temp"#, #"C:\temp"#), ("null", "\"null\""), ("nulls", "nulls"), ("Köln", "\"Köln\""), ("a\nb", #""a\nb""#),
    ("\u{1B}[31m", #""\u001b[31m""#), ("\u{7F}", #""\u007f""#), ("{}[],;", "{}[],;"),
  ])
  func valuesAreQuotedWhereTheyMust(text: String, spelled: String) throws {
    let line = try EncodedRecord({ "" }) { $0["v"] = text }.line(by: LogfmtFormatter())
    #expect(line.hasSuffix(" v=\(spelled)"), "\(line)")
    #expect(try LogfmtReader.pairs(line).last?.value == text)
  }

  @Test func namesCannotEndEarly() throws {
    let read = try pairs(EncodedRecord({ "" }) { $0.set("a b=\"c\"\n\u{1B}\u{85}é", 1) })
    #expect(read["a_b__c____é"] == "1", "\(read)")
  }

  @Test func nestedValuesAreFlattened() throws {
    let record = EncodedRecord({ "" }) { fields in
      fields.group("user") { user in
        user["id"] = 7
        user.group("address") { $0["city"] = "Rome" }
        user["tags"] = ["a", "b c"]
        user["after"] = true
      }
      fields["codes"] = [[1, 2], [3]]
      fields["last"] = 1.5
    }
    let line = try record.line(by: LogfmtFormatter())
    #expect(
      line.hasSuffix(
        #" user.id=7 user.address.city=Rome user.tags="[\"a\",\"b c\"]" user.after=true codes=[[1,2],[3]] last=1.5"#),
      "\(line)")
  }

  @Test func valuesKeepTheirSpelling() throws {
    let missing: Int? = nil
    let read = try pairs(
      EncodedRecord({ "" }) { fields in
        fields["duration"] = Duration.milliseconds(1_500)
        fields["missing"] = missing
        fields["nan"] = Double.nan
        fields["third"] = 1.0 / 3
        fields["most"] = UInt64.max
      })
    #expect(read["duration"] == "1.5" && read["missing"] == "null" && read["nan"] == "nan")
    #expect(read["third"].flatMap(Double.init) == 1.0 / 3 && read["most"] == "18446744073709551615")
  }

  @Test(arguments: ["time", "level", "logger", "ns", "msg", "pid", "ring", "seq"])
  func reservedNamesGetAnUnderscore(name: String) throws {
    let read = try pairs(EncodedRecord({ "text" }) { $0.set(name, "mine") })
    #expect(read["\(name)_"] == "mine" && read[name] != "mine")
  }

  @Test func flattenedNamesAreToldApart() throws {
    let read = try pairs(
      EncodedRecord({ "" }) { fields in
        fields["a.b"] = 1
        fields.group("a") { $0["b"] = 2 }
      })
    #expect(read["a.b"] == "1" && read["a.b_"] == "2")
  }

  @Test func noticesAreLines() throws {
    let dropped = try line(
      of: .dropped(cause: .ringFull, byLevel: [(.debug, 5), (.info, 7)], total: 20, first: 0, last: 1_000_000_000),
      by: LogfmtFormatter())
    #expect(
      dropped.hasSuffix(
        #"msg="records dropped" pid=7 ring=r.1 treering.dropped=12 treering.dropped_total=20 treering.cause="ring full" "#
          + "treering.levels.debug=5 treering.levels.info=7 treering.first=1970-01-01T00:00:00.000000000Z "
          + "treering.last=1970-01-01T00:00:01.000000000Z"), "\(dropped)")
    let closed = try line(of: .ringClosed(committed: 9, dropped: 2), by: LogfmtFormatter())
    #expect(closed.hasSuffix(" seq=9 treering.committed=9 treering.dropped=2"))
  }
}
