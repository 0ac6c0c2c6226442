import Logging
import Synchronization
import TestSupport
import Testing
import TreeRingLogging

/// Three sources of metadata: the call wins over the provider, and the provider over the handler.
@Suite struct MetadataMergeTests {
  /// Every combination of sources that name the field.
  @Test(arguments: 0..<8)
  func theNearestSourceWins(_ sources: Int) throws {
    let (inHandler, inProvider, inEvent) = (sources & 1 != 0, sources & 2 != 0, sources & 4 != 0)
    var recorded = try RecordedLogger(
      provider: .init { inProvider ? ["field": "provider", "provider": "here"] : ["provider": "here"] })
    recorded.logger[metadataKey: "handler"] = "here"
    if inHandler { recorded.logger[metadataKey: "field"] = "handler" }
    recorded.logger.info("merged", metadata: inEvent ? ["field": "event", "event": "here"] : ["event": "here"])
    let record = try recorded.onlyRecord()
    #expect(record.field == (inEvent ? "event" : inProvider ? "provider" : inHandler ? "handler" : nil))
    // Once: a second value of the name would have been kept under another name.
    #expect(record.ownFields == Set(["handler", "provider", "event"] + (sources == 0 ? [] : ["field"])))
  }

  @Test func anEventWithoutMetadataHasNoFields() throws {
    let recorded = try RecordedLogger()
    recorded.logger.info("nothing")
    recorded.logger.info("empty", metadata: [:])
    #expect(try recorded.records().map(\.ownFields) == [[], []])
  }

  @Test func metadataOfTheCallStayWithTheCall() throws {
    let recorded = try RecordedLogger()
    recorded.logger.info("first", metadata: ["of": "the first"])
    recorded.logger.info("second")
    #expect(try recorded.records().map(\.of) == ["the first", nil])
  }

  @Test func theProviderIsAskedOnceForEachEventThatIsLogged() throws {
    let asked = Atomic(0)
    let recorded = try RecordedLogger(
      provider: .init { ["asked": .stringConvertible(asked.add(1, ordering: .relaxed).newValue)] })
    for _ in 0..<5 {
      recorded.logger.info("on")
      recorded.logger.debug("off")
    }
    #expect(try recorded.records().map { $0.integer("asked") } == [1, 2, 3, 4, 5])
    #expect(asked.load(ordering: .relaxed) == 5)
  }

  @Test func theLastOfSeveralProvidersWins() throws {
    let recorded = try RecordedLogger(
      provider: .multiplex([.init { ["a": "first", "b": "first"] }, .init { ["b": "second"] }]))
    recorded.logger.info("multiplexed")
    let record = try recorded.onlyRecord()
    #expect(record.a == "first")
    #expect(record.b == "second")
  }

  @TaskLocal static var requestID: String?

  @Test func aProviderSeesTheTaskThatLogs() async throws {
    let recorded = try RecordedLogger(
      provider: .init { Self.requestID.map { ["request.id": .string($0)] } ?? [:] })
    let logger = recorded.logger
    await Self.$requestID.withValue("r-1") {
      await Task.yield()
      async let child: Void = logger.info("in a child task")
      await child
    }
    logger.info("outside")
    #expect(try recorded.records().map { $0["request.id"] as? String } == ["r-1", nil])
  }

  @Test func theProviderOfTheBootstrapReachesEveryLogger() async {
    await #expect(processExitsWith: .success) {
      try Environment.prepare([:]) {
        TreeRingLogging.bootstrap(metadataProvider: .init { ["from": "the bootstrap"] }, sourceLevel: nil)
        Logging.Logger(label: "plain").info("1")
        Logging.Logger(label: "own", metadataProvider: .init { ["from": "the logger"] }).error("2")
        Logging.Logger(label: "factory", factory: { TreeRingLogHandler(label: $0) }).info("3")
      } check: { records in
        try require(records.map(\.from) == ["the bootstrap", "the logger", "the bootstrap"], "\(records)")
        try require(records.map(\.ownFields) == [["from"], ["from"], ["from"]], "\(records)")
      }
    }
  }

  /// swift-log's way to have two backends.
  @Test func oneOfSeveralHandlersOfALogger() throws {
    let recorded = try RecordedLogger()
    let other = try RecordedLogger()
    var both = Logging.Logger(label: "both") { _ in
      MultiplexLogHandler([recorded.logger.handler, other.logger.handler])
    }
    both[metadataKey: "to"] = "both"
    both.info("here and there", metadata: ["number": .stringConvertible(7)])
    for record in [try recorded.onlyRecord(), try other.onlyRecord()] {
      #expect(record.msg == "here and there")
      #expect(record.ownFields == ["to", "number"])
    }
    #expect(recorded.logger.handler.metadata.isEmpty)
  }
}
