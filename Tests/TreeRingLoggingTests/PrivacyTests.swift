import Logging
import TestSupport
import Testing
import TreeRing
import TreeRingLogging

/// The privacy mark as an attribute of metadata values.
@Suite struct PrivacyTests {
  private func shown(_ value: Logging.Logger.MetadataValue) throws -> String? {
    let recorded = try RecordedLogger()
    recorded.logger.info("marked", metadata: ["value": value])
    let record = try recorded.onlyRecord()
    if value.attributes[LogPrivacy.self] ?? .public != .public {
      #expect(!record.line.contains("margarete"))
    }
    return record.value
  }

  @Test func theMarkDecidesWhatIsLeft() throws {
    let user = "margarete@example.com"
    #expect(try shown("\(user, privacy: .public)") == user)
    #expect(try shown("\(user, privacy: .masked)") == "***.com")
    #expect(try shown("\(user, privacy: .secret)") == "[redacted]")
    let hash = try #require(try shown("\(user, privacy: .hashed)"))
    #expect(try hash.hasPrefix("#") && hash == shown(.attributed(user, attributes: [LogPrivacy.hashed])))
    #expect(try shown("\(user + "x", privacy: .hashed)") != hash)
  }

  @Test func theMarkIsForTheWholeValueAndTheStrictestCounts() throws {
    let (user, other) = ("margarete", "anybody")
    #expect(try shown("user \(user, privacy: .secret) and \(other)") == "[redacted]")
    #expect(try shown("\(user, privacy: .secret)\(other, privacy: .public)") == "[redacted]")
    #expect(try shown("\(other, privacy: .public)\(user, privacy: .masked)") == "***rete")
  }

  @Test func marksWorkInNestedValuesAndInEverySource() throws {
    var recorded = try RecordedLogger(provider: .init { ["provided": "\("margarete", privacy: .secret)"] })
    recorded.logger[metadataKey: "own"] = "\("margarete", privacy: .masked)"
    recorded.logger.info("nested", metadata: ["user": ["names": ["\("margarete", privacy: .secret)", "public"]]])
    let record = try recorded.onlyRecord()
    #expect(!record.line.contains("margarete"))
    #expect(record.object("user")?["names"] as? [String] == ["[redacted]", "public"])
    #expect(record.provided == "[redacted]")
    #expect(record.own == "***")
  }

  @Test func namesHideTheirValuesToo() throws {
    var recorded = try RecordedLogger(provider: .init { ["session": "margarete"] })
    recorded.logger[metadataKey: "db.password"] = "margarete"
    recorded.logger.info(
      "request",
      metadata: [
        "headers": ["Authorization": "Bearer margarete", "Accept": "text/html"], "cookies": ["a": "margarete"],
        "token": "\("readable", privacy: .public)", "api_key": .stringConvertible(17_171_717),
        "uint.token": .stringConvertible(17_171_717 as UInt), "double.token": .stringConvertible(17_171_717.5),
        "is.secret": .stringConvertible(true), "boxed.token": .stringConvertible("margarete"),
        "part.token": .stringConvertible("margarete".dropFirst(0)), "list.token": ["margarete"],
      ])
    let record = try recorded.onlyRecord()
    #expect(!record.line.contains("margarete") && !record.line.contains("17171717"))
    #expect(record.object("headers") as? [String: String] == ["Authorization": "[redacted]", "Accept": "text/html"])
    let hidden = ["session", "db.password", "cookies", "api_key", "is.secret"]
    for name in hidden + ["uint.token", "double.token", "boxed.token", "part.token", "list.token"] {
      #expect(record[name] as? String == "[redacted]", "\(name)")
    }
    #expect(record.token == "readable")
  }
}
