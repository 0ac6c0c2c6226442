import Logging
import TestSupport
import Testing
import TreeRingLogging

/// A change to one logger reaches no other: what swift-log asks of every handler.
@Suite struct ValueSemanticsTests {
  /// The example of swift-log's documentation.
  @Test func passesTheExampleOfSwiftLog() async {
    await #expect(processExitsWith: .success) {
      LoggingSystem.bootstrap(TreeRingLogHandler.init)
      var logger1 = Logging.Logger(label: "first logger")
      logger1.logLevel = .debug
      logger1[metadataKey: "only-on"] = "first"
      var logger2 = logger1
      logger2.logLevel = .error
      logger2[metadataKey: "only-on"] = "second"
      guard logger1.logLevel == .debug, logger2.logLevel == .error, logger1[metadataKey: "only-on"] == "first",
        logger2[metadataKey: "only-on"] == "second"
      else { fatalError("the loggers share state") }
    }
  }

  @Test func copiesWriteTheirOwnMetadata() throws {
    let recorded = try RecordedLogger()
    var first = recorded.logger
    first[metadataKey: "both"] = "first"
    var second = first
    second[metadataKey: "both"] = "second"
    second[metadataKey: "second"] = "yes"
    first.info("of the first")
    second.info("of the second")
    recorded.logger.info("of the original")
    let records = try recorded.records()
    #expect(records.map(\.both) == ["first", "second", nil])
    #expect(records.map(\.ownFields) == [["both"], ["both", "second"], []])
  }

  @Test func copiesHaveTheirOwnLevel() throws {
    let recorded = try RecordedLogger()
    var loud = recorded.logger
    loud.logLevel = .trace
    var silent = loud
    silent.logLevel = .critical
    loud.trace("loud")
    silent.error("silent")
    recorded.logger.debug("original")
    #expect(try recorded.onlyRecord().msg == "loud")
  }

  @Test func copiesHaveTheirOwnProvider() throws {
    let recorded = try RecordedLogger(provider: .init { ["from": "the first"] })
    var handler = recorded.logger.handler
    handler.metadataProvider = .init { ["from": "the second"] }
    let second = Logging.Logger(label: recorded.label) { [handler] _ in handler }
    recorded.logger.info("1")
    second.info("2")
    #expect(try recorded.records().map(\.from) == ["the first", "the second"])
  }

  @Test func metadataAreReadBackReplacedAndRemoved() throws {
    let recorded = try RecordedLogger()
    var logger = recorded.logger
    logger[metadataKey: "kept"] = "1"
    logger[metadataKey: "removed"] = ["a": "b"]
    #expect(logger[metadataKey: "removed"] == ["a": "b"])
    logger[metadataKey: "removed"] = nil
    #expect(logger[metadataKey: "removed"] == nil)
    #expect(logger.handler.metadata == ["kept": "1"])
    logger.info("one is left")
    #expect(try recorded.onlyRecord().ownFields == ["kept"])
    var handler = logger.handler
    handler.metadata = ["all": "new"]
    #expect(handler[metadataKey: "kept"] == nil)
    #expect(handler[metadataKey: "all"] == "new")
  }

  @Test func aTaskMayChangeItsCopyWhileOthersLog() async throws {
    let recorded = try RecordedLogger()
    let shared = recorded.logger
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<16 {
        group.addTask {
          var logger = shared
          logger[metadataKey: "task"] = .stringConvertible(task)
          logger.logLevel = task.isMultiple(of: 2) ? .debug : .info
          for number in 0..<20 {
            logger[metadataKey: "number"] = .stringConvertible(number)
            logger.debug("working")
            await Task.yield()
          }
        }
      }
    }
    let records = try recorded.records()
    let pairs = Set(records.compactMap { record in record.integer("number").map { [record.integer("task"), $0] } })
    #expect(records.count == 8 * 20)
    #expect(pairs.count == 8 * 20)
    #expect(pairs.allSatisfy { ($0[0] ?? 1).isMultiple(of: 2) })
    #expect(shared.handler.metadata.isEmpty)
  }
}
