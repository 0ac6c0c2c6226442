import Foundation
import Logging
import TestSupport
import Testing
import TreeRingLogging

/// Calls inside of calls, and calls from many threads.
@Suite struct ReentrancyTests {
  /// Logs while it is asked for its text.
  struct Chatty: CustomStringConvertible, Sendable {
    let logger: Logging.Logger
    var description: String {
      logger.info("inner", metadata: ["inner": .stringConvertible(1)])
      return "described"
    }
  }

  @Test func aDescriptionMayLog() throws {
    let recorded = try RecordedLogger()
    recorded.logger.info(
      "outer", metadata: ["before": "b", "chatty": [.stringConvertible(Chatty(logger: recorded.logger))], "after": "a"])
    let records = try recorded.records()
    let outer = try #require(records.first { $0.msg == "outer" })
    let inner = try #require(records.first { $0.msg == "inner" })
    #expect(records.count == 2)
    #expect(outer["chatty"] as? [String] == ["described"])
    #expect(outer.ownFields == ["before", "chatty", "after"])
    #expect(inner.ownFields == ["inner"])
  }

  @Test func aProviderMayLog() throws {
    let inner = try RecordedLogger()
    let innerLogger = inner.logger
    let recorded = try RecordedLogger(
      provider: .init {
        innerLogger.info("asked")
        return ["provided": "yes"]
      })
    recorded.logger.info("outer")
    #expect(try recorded.onlyRecord().provided == "yes")
    #expect(try inner.onlyRecord().msg == "asked")
  }

  @Test func everyThreadsRecordsArriveWholeAndOnce() throws {
    let threads = 8
    let count = 500
    let recorded = try RecordedLogger()
    let logger = recorded.logger
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      var own = logger
      own[metadataKey: "thread"] = .stringConvertible(thread)
      for number in 0..<count {
        own.info("thread \(thread), number \(number)", metadata: ["number": .stringConvertible(number)])
      }
    }
    let records = try recorded.records()
    let expected = (0..<threads).flatMap { thread in (0..<count).map { "thread \(thread), number \($0)" } }
    #expect(records.count == expected.count)
    #expect(Set(records.compactMap(\.msg)) == Set(expected))
    let torn = records.filter { record in
      let (thread, number) = (record.integer("thread") ?? -1, record.integer("number") ?? -1)
      return record.msg != "thread \(thread), number \(number)"
    }
    #expect(torn.isEmpty, "\(torn.prefix(3))")
  }
}
