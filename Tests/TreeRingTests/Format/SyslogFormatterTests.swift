import Foundation
import TestSupport
import Testing

@testable import TreeRing

@Suite struct SyslogFormatterTests {
  private let time: UInt64 = 1_767_323_045_678_901_234

  private func formatter(
    _ standard: SyslogOptions.Standard = .rfc5424, host: String? = "host", facility: Int = 1, app: String = "app",
    max: Int = 65_507, message: (any TreeRing.Formatter)? = nil
  ) -> SyslogFormatter {
    SyslogFormatter(
      SyslogOptions(facility: facility, application: app), standard: standard, maximumBytes: max, hostname: host,
      message: message)
  }

  @Test func aRecordIsAMessageWithStructuredData() throws {
    let record = EncodedRecord(level: .warning, sequence: 41, { "disk \(91, "percent") % full" }) { $0["disk"] = "sda" }
    #expect(
      try record.line(by: formatter(), label: "shop.disk", time: time)
        == #"<12>1 2026-01-02T03:04:05.678901Z host app 1 shop.disk [fields@32473 percent="91" disk="sda"]"#
        + #"[treering@32473 ring="r.0" seq="41"] disk 91 % full"#)
    let bare = try SyslogMessage(EncodedRecord({ "text" }).line(by: formatter()))
    #expect(bare.data.map(\.id) == ["treering@32473"] && bare.text == "text")
  }

  @Test(arguments: zip(Level.allCases, [7, 7, 6, 5, 4, 3, 2]))
  func levelsAreSeverities(level: Level, severity: Int) throws {
    let line = try EncodedRecord(level: level, { "text" }).line(by: formatter(facility: 23))
    let message = try SyslogMessage(line)
    #expect(message.severity == severity && message.facility == 23)
  }

  @Test func theOldFormIsForPeople() throws {
    let record = EncodedRecord(level: .error, { "disk \(91, "percent") % full" }) { $0["disk"] = "s d a" }
    var seconds = time_t(time / 1_000_000_000)
    var parts = unsafe tm()
    unsafe localtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    unsafe _ = strftime(&text, 32, "%b %e %H:%M:%S", &parts)
    let when = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    #expect(
      try record.line(by: formatter(.rfc3164), label: "shop.disk", time: time)
        == "<11>\(when) host app[1]: shop.disk: disk 91 % full disk=\"s d a\"")
    #expect(
      try record.line(by: formatter(.rfc3164, host: nil), label: "shop", time: time)
        == "<11>\(when) app[1]: shop: disk 91 % full disk=\"s d a\"")
  }

  /// What a receiver that undoes the escapes sees is the text, with control characters spelled out.
  @Test(arguments: [
    ("a \"b\" [c] \\d", "a \"b\" [c] \\d"), ("two\nlines", "two\\nlines"), ("\u{1B}[31m", "\\u001b[31m"),
    ("é\u{85}", "é\\u0085"), ("", ""),
  ])
  func valuesAreReadBack(text: String, seen: String) throws {
    let record = EncodedRecord({ "\(text)" }) { $0["v"] = text }
    let message = try SyslogMessage(record.line(by: formatter()))
    #expect(message.value("fields@32473", "v") == seen && message.text == seen)
  }

  @Test func namesAreMadeFit() throws {
    let record = EncodedRecord({ "" }) { fields in
      fields.set("a b=\"c]é", 1)
      fields.set(String(repeating: "n", count: 40), 2)
      fields.group("user") { $0["name"] = "Ann" }
    }
    let line = try record.line(by: formatter(host: "my host", app: "my app\u{1B}" + String(repeating: "x", count: 60)))
    let message = try SyslogMessage(line)
    #expect(message.host == "my_host" && message.application.hasPrefix("my_app_xx") && message.application.count == 48)
    #expect(message.value("fields@32473", "a_b__c___") == "1")
    #expect(message.value("fields@32473", String(repeating: "n", count: 32)) == "2")
    #expect(message.value("fields@32473", "user.name") == "Ann")
  }

  @Test func aLabelThatIsNoMessageIDIsKept() throws {
    for label in ["shop läden", String(repeating: "l", count: 33)] {
      let message = try SyslogMessage(EncodedRecord({ "text" }).line(by: formatter(), label: label))
      #expect(message.value("treering@32473", "logger") == label && message.id.count <= 32)
    }
    #expect(try SyslogMessage(EncodedRecord({ "text" }).line(by: formatter(), label: "")).id == "-")
  }

  /// At every length: never longer, still by the grammar, cut where a character begins, and marked.
  @Test func aMessageThatIsTooLongIsCutAndMarked() throws {
    let text = String(repeating: "aé€😀", count: 100)
    let record = EncodedRecord({ "\(text)" }) { fields in
      for index in 0..<20 { fields.set("field\(index)", String(repeating: "é]", count: index)) }
    }
    let whole = try SyslogMessage(record.line(by: formatter()))
    #expect(whole.text == text && whole.value("treering@32473", "truncated") == nil)
    for limit in 480...1_100 {
      for standard in SyslogOptions.Standard.allCases {
        let line = try record.line(by: formatter(standard, max: limit))
        #expect(line.utf8.count <= limit && line.hasSuffix("…"))
        #expect(line.utf8.count > limit - 4, "not cut more than a character needs")
      }
      let message = try SyslogMessage(record.line(by: formatter(max: limit)))
      #expect(text.hasPrefix(message.text.dropLast()), "limit \(limit)")
      #expect(message.text.utf8.count >= limit / 4 - 64, "fields leave room for the text")
      let all = whole.data.first?.parameters.map(\.name) ?? []
      let kept = message.data.first { $0.id == "fields@32473" }?.parameters.map(\.name) ?? []
      #expect(kept == all || message.value("treering@32473", "truncated") == "true")
    }
  }

  @Test func aHeaderThatFillsTheMessageLeavesNoHalfOfAnElement() throws {
    let formatter = formatter(
      host: String(repeating: "h", count: 255), app: String(repeating: "a", count: 48), max: 400)
    let line = try EncodedRecord({ "text" }) { $0["a"] = 1 }.line(
      by: formatter, label: String(repeating: "l", count: 32))
    let message = try SyslogMessage(line)
    #expect(line.utf8.count <= 400 && message.data.isEmpty && message.text == "text")
  }

  @Test func aMessageCanBeInAnotherFormat() throws {
    let record = EncodedRecord(sequence: 3, { "two\nlines" }) { $0["v"] = 1 }
    let message = try SyslogMessage(record.line(by: formatter(message: JSONFormatter())))
    #expect(message.data.isEmpty)
    let json = try JSONRecord(line: message.text)
    #expect(json.msg == "two\nlines" && json.integer("seq") == 3 && json.integer("v") == 1)
    let console = try record.line(by: formatter(message: ConsoleFormatter(colours: false, isMultiline: false)))
    #expect(console.hasSuffix("INFO     test  two\\nlines  v=1"))
  }

  /// The console has no line for them, so there is no message either.
  @Test func whatTheInnerFormatLeavesOutIsNoMessage() {
    let output = OutputBuffer()
    let formatter = formatter(message: ConsoleFormatter(colours: false, isMultiline: false))
    unsafe formatter.append(
      .ringClosed(committed: 1, dropped: 0), RecordContext(time: 0, pid: 1, ring: "r.0", label: nil), to: output)
    #expect(output.count == 0)
  }

  @Test func noticesAreMessages() throws {
    let dropped = StreamNotice.dropped(cause: .ringFull, byLevel: [(.info, 7)], total: 20, first: 0, last: 0)
    let message = try SyslogMessage(line(of: dropped, by: formatter()))
    #expect(message.severity == 4 && message.id == "treering" && message.text == "records dropped")
    #expect(message.value("fields@32473", "treering.dropped") == "7")
    #expect(message.value("fields@32473", "treering.levels.info") == "7")
    let old = try line(of: dropped, by: formatter(.rfc3164))
    #expect(old.contains("app[7]: treering: records dropped treering.dropped=7 "))
  }
}
