import Foundation
import TestSupport
import Testing

@testable import TreeRing

/// Records of any content, read by a JSON parser that has nothing to do with this library or its language: text, numbers and nesting are what was logged.
///
/// `TREERING_JSON` is the number of records, 20,000 unless it is set.
@Suite struct JSONParserTests {
  private static let reserved = ["time", "level", "logger", "ns", "msg", "pid", "ring", "seq"]

  /// A record, and what is to be found in its line.
  private static func record(_ number: Int, _ random: inout SeededGenerator) throws -> (line: [UInt8], tokens: String) {
    let (text, integer, time) = (
      FuzzedValue.text(&random, upTo: 30), Int(truncatingIfNeeded: random.next()), random.next()
    )
    let label = FuzzedValue.text(&random, upTo: 10) + "label"
    let level = try #require(Level.allCases.randomElement(using: &random))
    let members = FuzzedValue.members(&random, depth: 0)
    let record = EncodedRecord(level: level, sequence: UInt64(number), { "text \(text), number \(integer)" }) {
      fields in
      for member in members { member.value.write(to: &fields, member.name) }
    }
    let line = try #require(record.formatted(by: JSONFormatter(), label: label, time: time))
    let own: [(String, [String])] = [
      ("time", ["T\(time)"]), ("level", [FuzzedValue.token(level.name)]), ("logger", [FuzzedValue.token(label)]),
      ("msg", [FuzzedValue.token("text \(text), number \(integer)")]), ("pid", ["i1"]),
      ("ring", [FuzzedValue.token("r.0")]), ("seq", ["i\(number)"]),
    ]
    return (line, FuzzedValue.tokens(of: members, after: own, reserved: reserved).joined(separator: " ") + "\n")
  }

  private func check(_ lines: [UInt8], _ tokens: String) throws -> (ending: ChildProcess.Ending, said: String) {
    let directory = try TemporaryDirectory()
    let (linesFile, tokensFile) = (directory.file("lines"), directory.file("tokens"))
    try Data(lines).write(to: URL(fileURLWithPath: linesFile))
    try Data(tokens.utf8).write(to: URL(fileURLWithPath: tokensFile))
    let script = Bundle.module.bundleURL.appending(path: "Cases/check-json.py").path
    let python = try ChildProcess(
      "/usr/bin/python3", ["-I", script, linesFile, tokensFile], errors: directory.file("errors"))
    let output = python.readAll(within: ChildProcess.patience + .milliseconds(lines.count / 100))
    return (python.wait(), output + python.errors)
  }

  @Test func pythonReadsWhatWasLogged() throws {
    var random = SeededGenerator("JSON for Python")
    let count = environment("TREERING_JSON", default: 20_000)
    var (lines, tokens) = ([UInt8](), "")
    for number in 0..<count {
      let record = try Self.record(number, &random)
      lines += record.line
      tokens += record.tokens
    }
    let (ending, said) = try check(lines, tokens)
    #expect(ending == .exit(0) && said == "agreed \(count)\n", "\(said), seed \(random.seed)")
  }

  /// The checker sees what is wrong.
  @Test(arguments: [
    (#"{"a":1}"#, "o1 s61 i2"), (#"{"a":1,"a":1}"#, "o2 s61 i1 s61 i1"), (#"{"a":0.1}"#, "o1 s61 d3fb999999999999b"),
    (#"{"a":"b"}"#, "o1 s61 s63"), (#"{"a":[1]}"#, "o1 s61 a2 i1 i1"), (#"{"a":NaN}"#, "o1 s61 n"),
    ("{\"a\":\"\t\"}", "o1 s61 s09"),
    (#"{"a":"\ud800"}"#, "o1 s61 sefbfbd"), (#"{"a":1}"#, "o1 s61 i1 i1"), (#"{"a":true}"#, "o1 s61 b0"), ("{", "o0"),
    (#"{"a":1.5}"#, "o1 s61 t1500000001"), ("[]", "o0"),
  ])
  func theCheckerSeesDifferences(line: String, tokens: String) throws {
    let (ending, said) = try check(Array("\(line)\n".utf8), tokens + "\n")
    #expect(ending == .exit(1) && said.hasPrefix("record 0: "), "\(said)")
  }
}
