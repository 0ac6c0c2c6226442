import Foundation
import Logging
import Synchronization
import TestSupport
import Testing
import TreeRing
import TreeRingLogging

/// Metadata that a logger was given once. They are encoded once, which nobody must notice.
@Suite struct OwnMetadataTests {
  /// A value of each kind, nested ones included.
  private static let everything: Logging.Logger.Metadata = [
    "string": "text", "empty": "", "int": .stringConvertible(-42), "big": .stringConvertible(UInt64.max),
    "small": .stringConvertible(Int8.min), "half": .stringConvertible(0.5), "float": .stringConvertible(Float(0.1)),
    "yes": .stringConvertible(true), "no": .stringConvertible(false), "boxed": .stringConvertible("a text of its own"),
    "wait": .stringConvertible(Duration.milliseconds(1500)), "part": .stringConvertible("text".dropFirst()),
    "letter": .stringConvertible(Character("x")), "marked": "\("margarete", privacy: .masked)", "": "nameless",
    "password": "never seen", "list": ["a", .stringConvertible(2), ["b": .stringConvertible(true)]],
    "group": ["inner": ["deep": .stringConvertible(1.5)], "token": "never seen"],
  ]

  /// The fields of a record, without those that differ between any two.
  private static func fields(_ record: JSONRecord) -> NSDictionary {
    record.object.filter { record.ownFields.contains($0.key) } as NSDictionary
  }

  /// What is given to the logger makes the record that the same metadata of a call make.
  @Test func theyMakeTheRecordThatMetadataOfACallMake() throws {
    var recorded = try RecordedLogger()
    recorded.logger.info("of the call", metadata: Self.everything)
    for (name, value) in Self.everything { recorded.logger[metadataKey: name] = value }
    for _ in 0..<3 { recorded.logger.info("of the logger") }
    let records = try recorded.records()
    #expect(records.count == 4)
    #expect(records[0].ownFields.count == Self.everything.count)
    for record in records {
      #expect(Self.fields(record) == Self.fields(records[0]))
      #expect(!record.line.contains("never seen") && !record.line.contains("margarete"))
    }
  }

  @Test func aChangeIsInTheNextRecord() throws {
    var recorded = try RecordedLogger()
    let values: [Logging.Logger.MetadataValue?] = ["first", "second", .stringConvertible(3), nil, ["list"]]
    for value in values {
      recorded.logger[metadataKey: "changing"] = value
      recorded.logger[metadataKey: "kept"] = "yes"
      recorded.logger.info("changed")
      recorded.logger.info("again")
    }
    recorded.logger.handler.metadata = ["all": "new"]
    recorded.logger.info("replaced")
    let records = try recorded.records()
    let found = records.map { record in record["changing"].map { "\($0)" } }
    #expect(found[..<8] == ["first", "first", "second", "second", "3", "3", nil, nil])
    #expect(records[8...9].allSatisfy { $0["changing"] as? [String] == ["list"] } && found[10] == nil)
    #expect(records.last?.ownFields == ["all"])
  }

  /// What one copy has encoded is of no use to another that was changed, and is not lost on the first.
  @Test func copiesThatHaveLoggedChangeAlone() throws {
    var recorded = try RecordedLogger()
    recorded.logger[metadataKey: "of"] = "the first"
    recorded.logger.info("1")
    var second = recorded.logger
    second.info("2")
    second[metadataKey: "of"] = "the second"
    second.info("3")
    var third = second
    third.logLevel = .trace
    third.info("4")
    third.handler.metadataProvider = .init { ["provided": "yes"] }
    third.info("5")
    recorded.logger.info("6")
    let records = try recorded.records()
    #expect(records.map(\.of) == ["the first", "the first", "the second", "the second", "the second", "the first"])
    #expect(records.map(\.provided) == [nil, nil, nil, nil, "yes", nil])
  }

  /// Says something else each time it is asked, as an object may.
  final class Changing: CustomStringConvertible, Sendable {
    private let asked = Atomic(0)
    var description: String { "asked \(asked.add(1, ordering: .relaxed).newValue)" }
  }

  @Test func whatMayChangeIsAskedInEachRecord() throws {
    var recorded = try RecordedLogger()
    recorded.logger[metadataKey: "object"] = .stringConvertible(Changing())
    recorded.logger[metadataKey: "nested"] = ["in": [.stringConvertible(Changing())], "fixed": "yes"]
    recorded.logger[metadataKey: "fixed"] = "yes"
    for _ in 0..<3 { recorded.logger.info("asked") }
    let records = try recorded.records()
    #expect(records.map { $0["object"] as? String } == ["asked 1", "asked 2", "asked 3"])
    #expect(
      records.map { ($0.object("nested")?["in"] as? [String])?.first } == ["asked 1", "asked 2", "asked 3"])
    #expect(records.map { $0.object("nested")?["fixed"] as? String } == ["yes", "yes", "yes"])
    #expect(records.map(\.fixed) == ["yes", "yes", "yes"])
  }

  /// Names are strings of Swift: equal when they are canonically equivalent, whatever their bytes are.
  @Test(arguments: [
    ("caf\u{E9}", "cafe\u{301}"), ("cafe\u{301}", "caf\u{E9}"), ("K", "\u{212A}"), ("\u{212A}", "K"),
    ("\u{3B}", "\u{37E}"), ("same", "same"),
  ])
  func aValueIsReplacedByOneOfAnEqualName(_ own: String, _ other: String) throws {
    for isProvided in [false, true] {
      var recorded = try RecordedLogger(provider: .init { isProvided ? [other: "nearer"] : [:] })
      recorded.logger[metadataKey: own] = "farther"
      recorded.logger[metadataKey: "untouched"] = "yes"
      recorded.logger.info("not yet", metadata: ["x": "y"])
      recorded.logger.info("replaced", metadata: isProvided ? nil : [other: "nearer"])
      let replaced = try #require(try recorded.records().last)
      #expect(replaced.ownFields.count == 2 && replaced.untouched == "yes")
      #expect(!replaced.line.contains("farther") && replaced.line.contains("nearer"))
    }
  }

  @Test(arguments: [1, 10, 100, 500])
  func howManyThereAreDoesNotMatter(_ count: Int) throws {
    var recorded = try RecordedLogger()
    for number in 0..<count { recorded.logger[metadataKey: "key\(number)"] = .stringConvertible(number) }
    recorded.logger.info("many")
    recorded.logger.info("and one of the call", metadata: ["key0": "replaced"])
    let records = try recorded.records()
    for record in records {
      #expect(record.ownFields.count == count)
      for number in 1..<max(count, 1) { #expect(record.integer("key\(number)") == number) }
    }
    #expect(records.map { $0.key0 } == [nil, "replaced"])
  }

  @Test func tooLargeTheyAreCutAsThoseOfACallAre() throws {
    var recorded = try RecordedLogger()
    recorded.logger[metadataKey: "large"] = .string(String(repeating: "x", count: 100_000))
    for _ in 0..<2 { recorded.logger.info("large") }
    for record in try recorded.records() {
      #expect(record["treering.truncated"] as? Bool == true && (record.large ?? "").count > 10_000)
    }
  }

  /// Whoever logs first encodes, and there may be many who are first.
  @Test func manyThreadsMayBeTheFirst() throws {
    var recorded = try RecordedLogger()
    for round in 0..<50 {
      recorded.logger[metadataKey: "round"] = .stringConvertible(round)
      let logger = recorded.logger
      DispatchQueue.concurrentPerform(iterations: 4) { _ in logger.info("at once") }
    }
    let rounds = try recorded.records().compactMap { $0.integer("round") }
    #expect(rounds.sorted() == (0..<200).map { $0 / 4 })
  }

  /// Loggers are made before logging starts, and logging may be started again: each record hides what is to be hidden when it is made.
  @Test func whatIsHiddenFollowsTheListInForce() async {
    await #expect(processExitsWith: .success) {
      let secret = "correct-horse-battery-staple"
      var logger = Logging.Logger(label: "own") { TreeRingLogHandler(label: $0) }
      logger[metadataKey: "customer.iban"] = .string(secret)
      logger[metadataKey: "nested"] = ["iban": [.string(secret)], "seen": "yes"]
      logger[metadataKey: "object"] = .stringConvertible(Changing())
      func remains(_ keys: RedactedKeys) throws -> (Remains, JSONRecord) {
        let directory = try TemporaryDirectory()
        let file = directory.file("log")
        try LogSystem.start(LogConfiguration(sinks: [.file(file)], directory: directory.path, redactedKeys: keys))
        logger.info("once")
        logger.info("twice")
        LogSystem.flush()
        let remains = try Remains(directory)
        LogSystem.stop()
        let records = try JSONRecord.read(file).filter { $0.logger == "own" }
        try require(records.count == 2 && Set(records.map { $0["customer.iban"] as? String }).count == 1, "\(records)")
        return (remains, records[1])
      }
      let listed = RedactedKeys.standard.adding(["iban"])
      for (keys, isHidden) in [(listed, true), (RedactedKeys.standard, false), (listed, true), (.none, false)] {
        let (remains, record) = try remains(keys)
        // The rings of a session that is over stay in memory, and in none of the next one's files.
        let places = remains.places(of: secret).filter { $0 != "shared memory" }
        try require(places.isEmpty == isHidden, "\(keys.names): \(places)")
        try require(record["customer.iban"] as? String == (isHidden ? "[redacted]" : secret), "\(record)")
        try require(record.object("nested")?["seen"] as? String == "yes", "\(record)")
        try require((record.object("nested")?["iban"] as? String == "[redacted]") == isHidden, "\(record)")
      }
    }
  }
}
