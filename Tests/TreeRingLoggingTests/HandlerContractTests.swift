import Logging
import TestSupport
import Testing
import TreeRing
import TreeRingLogging

/// What swift-log's documentation and tests ask of a handler, as far as no other suite of this target has it: value semantics are in `ValueSemanticsTests`, the order
/// of metadata in `MetadataMergeTests`, levels in `LevelTests`, messages, errors and places in `EventTests`.
@Suite struct HandlerContractTests {
  /// "The LogHandler must be a struct."
  @Test func isAStruct() {
    #expect(Mirror(reflecting: TreeRingLogHandler(label: "a")).displayStyle == .struct)
  }

  /// What is not in the protocol is a value as well.
  @Test func copiesHaveTheirOwnSettings() {
    let first = TreeRingLogHandler(label: "a")
    var second = first
    second.sourceLevel = .trace
    second.tellsTraces = false
    #expect(first.sourceLevel == .error && first.tellsTraces)
    #expect(second.sourceLevel == .trace && !second.tellsTraces)
  }

  /// A value that is named twice is replaced as a whole; the members of two dictionaries are not mixed.
  @Test func aNestedValueIsReplacedAsAWhole() throws {
    var recorded = try RecordedLogger(provider: .init { ["user": ["name": "provider", "from": "provider"]] })
    recorded.logger[metadataKey: "user"] = ["name": "handler", "id": "17"]
    recorded.logger.info("named twice")
    recorded.logger.info("named three times", metadata: ["user": ["name": "call"]])
    let records = try recorded.records()
    #expect(records[0].object("user") as? [String: String] == ["name": "provider", "from": "provider"])
    #expect(records[1].object("user") as? [String: String] == ["name": "call"])
  }

  @Test func aProviderCanBeTakenAway() throws {
    var recorded = try RecordedLogger(provider: .init { ["provided": "yes"] })
    recorded.logger.info("1")
    recorded.logger.handler.metadataProvider = nil
    recorded.logger.info("2")
    #expect(try recorded.records().map(\.provided) == ["yes", nil])
  }

  /// Each handler behind one logger writes what is on at its own level; the logger's is the lowest of them.
  @Test func handlersOfOneLoggerKeepTheirLevels() throws {
    let all = try RecordedLogger("chatty")
    let errors = try RecordedLogger("quiet")
    let logger = Logging.Logger(label: "both") { _ in
      MultiplexLogHandler([all.logger.handler, errors.logger.handler])
    }
    #expect(logger.logLevel == .trace)
    for level in Logging.Logger.Level.allCases { logger.log(level: level, "\(level)") }
    #expect(try all.records().compactMap(\.msg) == Logging.Logger.Level.allCases.map(\.rawValue))
    #expect(try errors.records().compactMap(\.msg) == ["error", "critical"])
  }

  @Test func theProvidersOfSeveralHandlersAreTheirOwn() throws {
    let first = try RecordedLogger(provider: .init { ["of": "the first"] })
    let second = try RecordedLogger(provider: .init { ["of": "the second"] })
    let logger = Logging.Logger(label: "both") { _ in
      MultiplexLogHandler([first.logger.handler, second.logger.handler])
    }
    logger.info("provided")
    #expect(try first.onlyRecord().of == "the first")
    #expect(try second.onlyRecord().of == "the second")
  }

  /// Where nothing is said of the place, it is that of the call.
  @Test func thePlaceIsThatOfTheCall() throws {
    let recorded = try RecordedLogger()
    let line = #line + 1
    recorded.logger.critical("here")
    let record = try recorded.onlyRecord()
    #expect(record["source.file"] as? String == #fileID)
    #expect(record["source.function"] as? String == #function)
    #expect(record.integer("source.line") == line)
  }

  /// The first interface of swift-log, which knew no source.
  @available(*, deprecated, message: "calls what swift-log has deprecated")
  @Test func theOldestInterfaceStillArrives() throws {
    let recorded = try RecordedLogger()
    recorded.logger.handler.log(
      level: .error, message: "before sources", metadata: ["of": "before"], file: "Shop/F.swift", function: "f",
      line: 1)
    let record = try recorded.onlyRecord()
    #expect(record.msg == "before sources" && record.of == "before" && record.integer("source.line") == 1)
  }

  struct Outer: Error { let inner: any Error }
  struct Inner: Error, CustomStringConvertible {
    let description = "the root"
  }

  @Test func anErrorTellsWhatItHolds() throws {
    let recorded = try RecordedLogger()
    recorded.logger.error("failed", error: Outer(inner: Inner()))
    let causes = try #require(try recorded.onlyRecord()["error.causes"] as? [[String: String]])
    #expect(causes.map { $0["message"] } == ["the root"])
  }

  /// Asked for its text inside of a record.
  struct Chatty: Error, CustomStringConvertible {
    let logger: Logging.Logger

    var description: String {
      logger.info("inner")
      return "an error that logs"
    }
  }

  @Test func theDescriptionOfAnErrorMayLog() throws {
    let inner = try RecordedLogger()
    let recorded = try RecordedLogger()
    recorded.logger.notice("outer", error: Chatty(logger: inner.logger), metadata: ["after": "the error"])
    let record = try recorded.onlyRecord()
    #expect(record["error.message"] as? String == "an error that logs" && record.after == "the error")
    #expect(try inner.records().map(\.msg).contains("inner"))
  }

  /// The context of TreeRing's own loggers reaches those of swift-log, whose own fields win over it.
  @Test func theContextOfTheTaskReachesIt() throws {
    let recorded = try RecordedLogger()
    let logger = recorded.logger
    TreeRing.Logger.withContext {
      $0["request.id"] = "r-1"
    } operation: {
      logger.info("plain")
      logger.info("with metadata", metadata: ["order.id": "17"])
    }
    logger.info("outside")
    let records = try recorded.records()
    #expect(records.map { $0["request.id"] as? String } == ["r-1", "r-1", nil])
    #expect(records[1]["order.id"] as? String == "17")
  }

  /// A message, a label and a key have no length that does harm.
  @Test(arguments: [0, 1, 63, 64, 255, 256, 1000, 70_000])
  func anyLengthIsTaken(_ length: Int) throws {
    let recorded = try RecordedLogger()
    let text = String(repeating: "ä", count: length)
    recorded.logger.info("\(text)")
    recorded.logger.info("key", metadata: [text: "value"])
    let records = try recorded.records()
    #expect(records.count == 2)
    #expect(text.hasPrefix(records[0].msg ?? "missing"))
    #expect(length > 1000 || records[0].msg == text)
    #expect(records[1].ownFields.count == 1 && records[1].object.values.contains { $0 as? String == "value" })
  }
}
