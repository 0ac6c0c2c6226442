import Foundation
import TestSupport
import Testing

@testable import TreeRing

@Suite struct BunyanFormatterTests {
  private let time: UInt64 = 1_767_323_045_678_901_234

  @Test func aRecordIsWhatBunyanWrites() throws {
    let record = EncodedRecord(level: .warning, sequence: 41, { "disk \(91, "percent") % full" }) { $0["disk"] = "sda" }
    #expect(
      try record.line(by: BunyanFormatter(hostname: "a \"host\""), label: "shop.disk", time: time)
        == #"{"v":0,"level":40,"name":"shop.disk","hostname":"a \"host\"","pid":1,"time":"2026-01-02T03:04:05.678901234Z","#
        + #""msg":"disk 91 % full","ring":"r.0","seq":41,"percent":91,"disk":"sda"}"#)
  }

  @Test(arguments: ["v", "level", "name", "hostname", "pid", "time", "msg", "src", "ring", "seq"])
  func coreFieldsGetAnUnderscore(name: String) throws {
    let line = try EncodedRecord({ "text" }) { $0.set(name, "mine") }.line(by: BunyanFormatter())
    let record = try JSONRecord(line: line)
    #expect(record["\(name)_"] as? String == "mine" && record[name] as? String != "mine")
  }

  /// Debian's `bunyan` (package node-bunyan) takes every line for a record, filters by level, and finds the fields.
  @Test func theBunyanCommandReadsIt() throws {
    let directory = try TemporaryDirectory()
    var lines: [String] = []
    for level in Level.allCases {
      let record = EncodedRecord(level: level, { "level \(level.name, "word")\nsecond" }) { fields in
        fields["text"] = "\u{1B}[31mred\u{FFFF}\""
        fields.group("user") { $0["tags"] = [1, 2] }
      }
      lines.append(try record.line(by: BunyanFormatter(hostname: "host"), label: "shop", time: time))
    }
    lines.append(try line(of: .ringClosed(committed: 9, dropped: 2), by: BunyanFormatter(hostname: "host")))
    let file = directory.file("log")
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: file))

    let shown = try output("/usr/bin/bunyan", ["--no-color", "-o", "short", file])
    for word in ["TRACE", "DEBUG", "INFO", "LVL35", "WARN", "ERROR", "FATAL"] {
      #expect(shown.contains(" \(word) shop: "), "\(word) is missing in: \(shown)")
    }
    #expect(shown.contains("LVL35 treering: ring closed"))
    // A line that bunyan does not take for a record is passed on as it is.
    #expect(!shown.contains("{\"v\""))

    let strict = try output("/usr/bin/bunyan", ["--strict", "-l", "error", "-o", "json-0", file])
    let records = try strict.split(separator: "\n").map { try JSONRecord(line: $0) }
    #expect(records.map { $0.integer("level") } == [50, 60])
    #expect(
      records.first?["text"] as? String == "\u{1B}[31mred\u{FFFF}\"" && records.first?.msg == "level error\nsecond")
    let mine = try output(
      "/usr/bin/bunyan", ["-c", "this.user && this.user.tags[1] === 2 && this.word === 'notice'", "-0", file])
    #expect(try JSONRecord(line: mine.dropLast()).integer("level") == 35)
  }

  private func output(_ program: String, _ arguments: [String]) throws -> String {
    // Where Debian keeps the modules of its packages; a node from elsewhere does not look there by itself.
    let child = try ChildProcess(program, arguments, environment: ["NODE_PATH": "/usr/share/nodejs"])
    let text = child.readAll()
    try #require(child.wait() == .exit(0))
    return text
  }
}
