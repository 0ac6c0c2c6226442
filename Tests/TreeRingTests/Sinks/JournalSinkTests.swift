import Glibc
import TestSupport
import Testing

@testable import TreeRing

@Suite struct JournalSinkTests {
  private let directory: TemporaryDirectory
  private let journal: MockJournal
  private let sink: JournalSink

  init() throws {
    directory = try TemporaryDirectory()
    journal = try MockJournal(directory.file("socket"))
    sink = try JournalSink(path: journal.path, options: SyslogOptions(facility: 3, application: "tree-ring"))
  }

  private func entry(of record: EncodedRecord, label: String = "shop.disk") throws -> MockJournal.Entry {
    let bytes = try #require(record.formatted(by: sink.makeFormatter(), label: label, time: 1_767_323_045_678_901_234))
    try SinkFeeder(sink).deliver(bytes)
    return try #require(try journal.next())
  }

  @Test func aRecordIsAnEntry() throws {
    let entry = try entry(
      of: EncodedRecord(level: .warning, sequence: 41, { "disk \(91, "percent") % full" }) { fields in
        fields["disk.name"] = "sda"
        fields["source.file"] = "Disk.swift"
        fields["source.line"] = 12
        fields["source.function"] = "check()"
      })
    let expected = [
      "MESSAGE": "disk 91 % full", "PRIORITY": "4", "SYSLOG_FACILITY": "3", "SYSLOG_IDENTIFIER": "tree-ring",
      "SYSLOG_PID": "1", "LOGGER": "shop.disk", "TREERING_TIME": "2026-01-02T03:04:05.678901234Z",
      "TREERING_RING": "r.0", "TREERING_SEQ": "41", "PERCENT": "91", "DISK_NAME": "sda", "CODE_FILE": "Disk.swift",
      "CODE_LINE": "12", "CODE_FUNC": "check()",
    ]
    #expect(entry.variables.keys.sorted() == expected.keys.sorted())
    for (name, text) in expected { #expect(entry.text(name) == text, "\(name)") }
    #expect(!entry.cameAsFile)
  }

  /// The journal is no text file: what was logged is what is stored.
  @Test(arguments: ["two\nlines\n", "\u{1B}[31m\0\t\r\n", "=", "", "a\u{85}b\u{10FFFF}", "\n"])
  func valuesAreBinarySafe(text: String) throws {
    let entry = try entry(of: EncodedRecord({ "\(text)" }) { $0["v"] = text }, label: text)
    #expect(entry.text("MESSAGE") == text && entry.text("V") == text && entry.text("LOGGER") == text)
  }

  @Test func namesFollowJournaldsRules() throws {
    let entry = try entry(
      of: EncodedRecord({ "" }) { fields in
        fields.set("_private", 1)
        fields.set("2fa", 2)
        fields.set("é", 3)
        fields["message"] = 4
        fields["a.b"] = 5
        fields.group("a") { $0["b"] = 6 }
        fields.set(String(repeating: "n", count: 100), 7)
        fields["list"] = ["x", "y"]
      })
    let expected = [
      "X_PRIVATE": "1", "X2FA": "2", "X__": "3", "MESSAGE_": "4", "A_B": "5", "A_B_": "6",
      String(repeating: "N", count: 56): "7", "LIST": #"["x","y"]"#,
    ]
    for (name, text) in expected { #expect(entry.text(name) == text, "\(name) in \(entry.variables.keys)") }
    #expect(entry.variables["MESSAGE"]?.count == 1 && entry.text("MESSAGE") == "")
  }

  @Test func aMessageCanBeInAnotherFormat() throws {
    let sink = try JournalSink(path: journal.path, format: .json)
    let record = EncodedRecord({ "two\nlines" }) { $0["v"] = 1 }
    try SinkFeeder(sink).deliver(record.formatted(by: sink.makeFormatter()) ?? [])
    let entry = try #require(try journal.next())
    let json = try JSONRecord(line: #require(entry.text("MESSAGE")))
    #expect(json.msg == "two\nlines" && entry.text("V") == "1")
  }

  /// 60,000 bytes of text, which are no characters; half of them are the field `first`, too.
  private static let largeRecord: EncodedRecord = {
    let count = 30_000
    var bytes = [UInt8](repeating: 0, count: 24)
    for key in ["", "first"] {
      bytes += [SegmentTag.string, UInt8(key.utf8.count), UInt8(count & 0xFF), UInt8(count >> 8)]
      bytes += Array(key.utf8) + [UInt8](repeating: 0xFF, count: count)
    }
    unsafe withUnsafeBytes(of: UInt32(bytes.count)) { unsafe bytes.replaceSubrange(0..<4, with: $0) }
    bytes += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    return EncodedRecord(bytes: bytes)
  }()

  /// What no datagram can hold comes as a sealed file: here each byte that is no character becomes three.
  @Test func aLargeEntryTravelsAsASealedFile() throws {
    let entry = try entry(of: Self.largeRecord)
    #expect(entry.cameAsFile)
    let mark = String(repeating: "\u{FFFD}", count: 30_000)
    #expect(entry.text("MESSAGE") == mark + mark && entry.text("FIRST") == mark)
  }

  @Test func noticesAreEntries() throws {
    let output = OutputBuffer()
    let context = unsafe RecordContext(time: 0, pid: 7, ring: "r.1", label: nil)
    let notice = StreamNotice.sinkFailed(sink: "file:/a", error: "No space\nleft")
    unsafe sink.makeFormatter().append(notice, context, to: output)
    try SinkFeeder(sink).deliver(unsafe Array(output.bytes))
    let entry = try #require(try journal.next())
    #expect(
      entry.text("MESSAGE") == "sink failed" && entry.text("PRIORITY") == "3" && entry.text("LOGGER") == "treering")
    #expect(entry.text("TREERING_ERROR") == "No space\nleft" && entry.text("TREERING_SINK") == "file:/a")
  }

  /// The real systemd-journald, in a mount namespace of its own whose /run is the test's directory.
  @Test func systemdReadsEveryEntry() throws {
    guard JournaldServer.isAvailable else { return print("not run: \(JournaldServer.absence)") }
    let server = try JournaldServer()
    let sink = try JournalSink(path: server.socket, options: SyslogOptions(application: "tree-ring"))
    let feeder = SinkFeeder(sink)
    let formatter = sink.makeFormatter()
    for number in 0..<50 {
      let text = number % 10 == 3 ? "two\nlines \(number)" : "line \(number)"
      let record = EncodedRecord(level: .error, sequence: UInt64(number), { "\(text)" }) { fields in
        fields["disk.name"] = "sda\u{1B}"
        fields["source.line"] = number
      }
      try feeder.deliver(record.formatted(by: formatter, label: "shop") ?? [])
    }
    try feeder.deliver(Self.largeRecord.formatted(by: formatter, label: "large") ?? [])
    let entries = try server.entries(of: "tree-ring", count: 51)
    #expect(entries.compactMap { ($0["TREERING_SEQ"] as? String).flatMap { Int($0) } } == Array(0..<50) + [0])
    #expect(entries.allSatisfy { $0["_TRANSPORT"] as? String == "journal" })
    #expect(entries.dropLast().allSatisfy { $0["LOGGER"] as? String == "shop" && $0["PRIORITY"] as? String == "3" })
    let third = try #require(entries.count == 51 ? entries[3] : nil)
    #expect(third["MESSAGE"] as? String == "two\nlines 3" && third["CODE_LINE"] as? String == "3")
    // What is no text, journalctl shows as a list of bytes.
    #expect(third["DISK_NAME"] as? [Int] == Array("sda\u{1B}".utf8).map(Int.init))
    #expect((entries[50]["FIRST"] as? String)?.unicodeScalars.count == 30_000)
  }
}
