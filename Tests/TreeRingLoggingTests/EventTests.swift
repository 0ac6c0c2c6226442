import Logging
import TestSupport
import Testing
import TreeRing
import TreeRingLogging

/// What else an event carries: its text, its error, its place in the source, its label.
@Suite struct EventTests {
  @Test func theMessageIsTheText() throws {
    let recorded = try RecordedLogger()
    let number = 7
    for message in ["literal", "with a value: \(number)", "", "ünïcödé 🌳"] as [Logging.Logger.Message] {
      recorded.logger.info(message)
    }
    #expect(try recorded.records().map(\.msg) == ["literal", "with a value: 7", "", "ünïcödé 🌳"])
  }

  struct Refused: Error, CustomStringConvertible {
    let description = "the card was refused"
  }

  @Test func anErrorTellsItsTypeAndMessage() throws {
    let recorded = try RecordedLogger()
    recorded.logger.warning("payment failed", error: Refused(), metadata: ["order": "a-1"])
    let record = try recorded.onlyRecord()
    #expect(record["error.type"] as? String == String(reflecting: Refused.self))
    #expect(record["error.message"] as? String == "the card was refused")
    #expect(record.ownFields == ["error.type", "error.message", "order"])
  }

  /// In swift-log the error takes these names. Here the other value stays too.
  @Test func metadataNamedLikeTheErrorGiveWay() throws {
    let recorded = try RecordedLogger()
    recorded.logger.warning("failed", error: Refused(), metadata: ["error.message": "mine"])
    let record = try recorded.onlyRecord()
    #expect(record["error.message"] as? String == "the card was refused")
    #expect(record["error.message_"] as? String == "mine")
  }

  @Test(arguments: Logging.Logger.Level.allCases)
  func errorsTellWhereTheyWereLogged(_ level: Logging.Logger.Level) throws {
    let recorded = try RecordedLogger("chatty")
    recorded.logger.log(level: level, "where", file: "Shop/Checkout.swift", function: "pay()", line: 12)
    let record = try recorded.onlyRecord()
    guard level >= .error else { return #expect(record.ownFields == []) }
    #expect(record["source.module"] as? String == "Shop")
    #expect(record["source.file"] as? String == "Shop/Checkout.swift")
    #expect(record["source.function"] as? String == "pay()")
    #expect(record.integer("source.line") == 12)
  }

  @Test func theSourceOfACallIsItsModule() throws {
    let recorded = try RecordedLogger()
    recorded.logger.error("given", source: "a-library")
    recorded.logger.error("own")
    #expect(
      try recorded.records().map { $0["source.module"] as? String } == ["a-library", "TreeRingLoggingTests"])
  }

  @Test func theLevelOfTheSourceCanBeChosen() throws {
    let recorded = try RecordedLogger()
    for level in [Logging.Logger.Level.info, nil] {
      var handler = TreeRingLogHandler(label: recorded.label)
      handler.sourceLevel = level
      Logging.Logger(label: recorded.label) { [handler] _ in handler }.critical("chosen")
    }
    #expect(try recorded.records().map { $0.integer("source.line") != nil } == [true, false])
  }

  @Test func theLabelIsTheLogger() async {
    await #expect(processExitsWith: .success) {
      try Environment.prepare([:]) {
        TreeRingLogging.bootstrap()
        for label in ["shop.checkout", "", "with \"quotes\" and\na line", String(repeating: "long", count: 400)] {
          Logging.Logger(label: label).info("1")
          Logging.Logger(label: label).info("2")
        }
        Logging.Logger.current.info("unbound")
        withLogger(Logging.Logger(label: "bound")) { _ in Logging.Logger.current.info("bound") }
      } check: { records in
        let labels = records.map { $0.logger ?? "none" }
        let expected = ["shop.checkout", "", "with \"quotes\" and\na line"].flatMap { [$0, $0] }
        try require(Array(labels.prefix(6)) == expected, "\(labels)")
        try require(labels[6...7].allSatisfy { $0.hasPrefix("longlong") }, "\(labels)")
        try require(Array(labels[8...]) == ["", "bound"], "\(labels)")
      }
    }
  }

  /// Handlers of other packages may still forward by the interface that swift-log had before events.
  @available(*, deprecated, message: "calls what swift-log has deprecated")
  @Test func theInterfaceBeforeEventsStillArrives() throws {
    let recorded = try RecordedLogger()
    recorded.logger.handler.log(
      level: .info, message: "before events", metadata: ["of": "before"], source: "S", file: "S/F.swift",
      function: "f", line: 1)
    #expect(try recorded.onlyRecord().of == "before")
  }
}
