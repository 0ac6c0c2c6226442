import Foundation
import Logging
import TestSupport
import Testing
import TreeRing
import TreeRingLogging

/// Values keep their types on the way into JSON.
@Suite struct MetadataTypeTests {
  private func json(_ value: Logging.Logger.MetadataValue) throws -> JSONRecord {
    let recorded = try RecordedLogger()
    recorded.logger.info("a value", metadata: ["value": value])
    let record = try recorded.onlyRecord()
    #expect(record.msg == "a value", "metadata leave the text alone")
    return record
  }

  private func spelled(_ value: Logging.Logger.MetadataValue) throws -> String {
    let record = try json(value)
    guard let start = record.line.range(of: "\"value\":")?.upperBound else { return "missing: \(record)" }
    return String(record.line[start...].dropLast())
  }

  @Test(
    arguments: [
      (42, "42"), (-1, "-1"), (Int.min, "\(Int.min)"), (UInt64.max, "\(UInt64.max)"), (Int8(-128), "-128"),
      (true, "true"),
      (false, "false"), (1.5, "1.5"), (Float(0.1), "0.1"), (Duration.milliseconds(1500), "1.5"), ("text", "\"text\""),
      ("text".dropFirst(), "\"ext\""), ([1, 2, 3], "[1,2,3]"), (Double.nan, "\"nan\""), (Double.infinity, "\"inf\""),
    ] as [(any CustomStringConvertible & Sendable, String)])
  func aConvertibleValueKeepsItsType(_ value: any CustomStringConvertible & Sendable, _ expected: String) throws {
    #expect(try spelled(.stringConvertible(value)) == expected)
  }

  @Test func anythingElseIsItsDescription() throws {
    let id = UUID()
    #expect(try json(.stringConvertible(id)).value == id.uuidString)
    #expect(try json("\(42)").value == "42")
    #expect(try json(.stringConvertible(Character("x"))).value == "x")
    #expect(try json(.stringConvertible(Logging.Logger.Level.notice)).value == "notice")
  }

  /// A type of the program that knows how to write itself into a record.
  struct Money: LogValue, CustomStringConvertible {
    let cents: Int
    var description: String { "\(cents) cents" }

    func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
      cents.write(to: &writer, key: key, fieldOnly: fieldOnly)
    }
  }

  @Test func aTypeThatWritesItselfDoes() throws {
    #expect(try spelled(.stringConvertible(Money(cents: 250))) == "250")
  }

  @Test func dictionariesAndArraysNest() throws {
    let record = try json([
      "name": "bob", "none": [:],
      "address": ["zip": .stringConvertible(10_115), "lines": ["a", ["b": .stringConvertible(true)], []]],
    ])
    let value = try #require(record.object("value")) as NSDictionary
    let expected: NSDictionary = [
      "name": "bob", "address": ["zip": 10_115, "lines": ["a", ["b": true], [String]()] as [Any]] as [String: Any],
      "none": [String: Any](),
    ]
    #expect(value == expected)
  }

  @Test func nestedValuesReadWellOnTheConsole() throws {
    let recorded = try RecordedLogger()
    recorded.logger.info("nested", metadata: ["a": ["b": ["c", .stringConvertible(3), ["d"]]]])
    #expect(try recorded.consoleTexts() == [#"nested  a.b="[\"c\",3,[\"d\"]]""#])
  }

  @Test(arguments: [15, 16, 17, 40])
  func whatNestsTooDeepIsToldInOneString(_ depth: Int) throws {
    let value = (0..<depth).reduce("leaf" as Logging.Logger.MetadataValue) { inner, _ in ["in": inner] }
    var found = try json(value)["value"]
    var levels = 0
    while let object = found as? [String: Any] {
      found = object["in"]
      levels += 1
    }
    #expect(levels == min(depth, 16))
    let rest = (0..<max(depth - 16, 0)).reduce("leaf" as Logging.Logger.MetadataValue) { inner, _ in ["in": inner] }
    #expect(found as? String == rest.description)
  }

  @Test func controlCharactersAndQuotesAreEscaped() throws {
    let text = "quote \" backslash \\ newline \n escape \u{1B}[31m nul \0 c1 \u{9B} emoji 🌳"
    let recorded = try RecordedLogger()
    recorded.logger.info("\(text)", metadata: ["\(text)": .string(text), "in": ["\(text)": [.string(text)]]])
    let record = try recorded.onlyRecord()
    #expect(record.msg == text)
    #expect(record[text] as? String == text)
    #expect(record.object("in")?[text] as? [String] == [text])
    #expect(record.line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
  }

  @Test func aNameThatIsTakenGetsAnUnderscore() throws {
    let recorded = try RecordedLogger()
    recorded.logger.info("mine", metadata: ["msg": "yours", "seq": "s", "pid": "p", "": "nameless"])
    let record = try recorded.onlyRecord()
    #expect(record.msg == "mine")
    #expect(record.ownFields == ["msg_", "seq_", "pid_", "_"])
    #expect(record["msg_"] as? String == "yours")
    #expect(record["_"] as? String == "nameless")
  }

  /// swift-log's attributes say something about a value to handlers that know them. To others the value is its text.
  @Test func attributesLeaveTheTextAsItIs() throws {
    enum Mark: Int64, Logging.Logger.MetadataValueAttributes.Attribute { case seen = 1 }
    #expect(try json("\("marked", attributes: [Mark.seen])").value == "marked")
  }

  @Test func metadataTooLargeForARecordAreCutAndMarked() throws {
    let recorded = try RecordedLogger()
    recorded.logger.info("large", metadata: ["large": .string(String(repeating: "x", count: 100_000))])
    let record = try recorded.onlyRecord()
    #expect(record.msg == "large")
    #expect(record["treering.truncated"] as? Bool == true)
    #expect((record.large ?? "").count > 10_000)
  }
}
