import Instrumentation
import Logging
import TestSupport
import Testing
import TreeRing
import TreeRingLogging

/// Which span an event belongs to.
@Suite struct TraceTests {
  /// Writes the headers that the test wants, as a tracer does on an outgoing request.
  struct Headers: Instrument {
    @TaskLocal static var current: [(String, String)] = []

    func extract<Carrier, Extract: Extractor>(
      _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {}

    func inject<Carrier, Inject: Injector>(
      _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
      for (name, value) in Self.current { injector.inject(value, forKey: name, into: &carrier) }
    }
  }

  private static let isBootstrapped: Bool = {
    InstrumentationSystem.bootstrap(Headers())
    return true
  }()

  private func record(
    _ headers: [(String, String)], metadata: Logging.Logger.Metadata? = nil, tells: Bool = true
  ) throws -> JSONRecord {
    #expect(Self.isBootstrapped)
    let recorded = try RecordedLogger()
    var handler = TreeRingLogHandler(label: recorded.label)
    handler.tellsTraces = tells
    let logger = Logging.Logger(label: recorded.label) { [handler] _ in handler }
    Headers.$current.withValue(headers) {
      InstrumentationContext.withValue(.topLevel) { logger.info("in a span", metadata: metadata) }
    }
    return try recorded.onlyRecord()
  }

  private static let traceID = "0af7651916cd43dd8448eb211c80319c"
  private static let spanID = "b7ad6b7169203331"
  private static let parent = ("traceparent", "00-\(traceID)-\(spanID)-01")

  @Test func aSpanIsNamedAsOpenTelemetryNamesIt() throws {
    let record = try record([Self.parent])
    #expect(record["trace_id"] as? String == Self.traceID)
    #expect(record["span_id"] as? String == Self.spanID)
    #expect(record["trace_flags"] as? String == "01")
    #expect(record.ownFields == ["trace_id", "span_id", "trace_flags"])
  }

  @Test(arguments: [
    [("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")],
    [("X-B3-TraceId", "0af7651916cd43dd8448eb211c80319c"), ("X-B3-SpanId", "b7ad6b7169203331")],
    [("tracestate", "a=b"), ("traceparent", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more")],
  ])
  func otherSpellingsAreUnderstood(_ headers: [(String, String)]) throws {
    let record = try record(headers)
    #expect(record["trace_id"] as? String == Self.traceID)
    #expect(record["span_id"] as? String == Self.spanID)
  }

  @Test(arguments: [
    "", "00", "00---", "00-\(traceID)-\(spanID)", "ff-\(traceID)-\(spanID)-01", "00-\(spanID)-\(traceID)-01",
    "00-00000000000000000000000000000000-\(spanID)-01", "00-\(traceID)-0000000000000000-01",
    "00-0af7651916cd43dd8448eb211c80319g-\(spanID)-01",
  ])
  func whatIsNoContextIsLeftOut(_ value: String) throws {
    #expect(try record([("traceparent", value)]).ownFields == [])
  }

  @Test func outsideOfASpanThereIsNone() throws {
    #expect(try record([]).ownFields == [])
    let recorded = try RecordedLogger()
    Headers.$current.withValue([Self.parent]) { recorded.logger.info("no context at all") }
    #expect(try recorded.onlyRecord().ownFields == [])
  }

  /// A scope may end a trace for what runs in it.
  @Test func inAScopeWithoutContextThereIsNone() throws {
    #expect(Self.isBootstrapped)
    let recorded = try RecordedLogger()
    Headers.$current.withValue([Self.parent]) {
      InstrumentationContext.withValue(.topLevel) {
        InstrumentationContext.withValue(nil) { recorded.logger.info("inner", metadata: ["own": "field"]) }
        recorded.logger.info("outer")
      }
    }
    let records = try recorded.records()
    #expect(records.map(\.ownFields) == [["own"], ["trace_id", "span_id", "trace_flags"]])
  }

  @Test func metadataOfTheSameNameWin() throws {
    let record = try record([Self.parent], metadata: ["trace_id": "mine"])
    #expect(record["trace_id"] as? String == "mine")
    #expect(record.ownFields == ["trace_id"])
    var recorded = try RecordedLogger()
    recorded.logger[metadataKey: "span_id"] = "mine"
    Headers.$current.withValue([Self.parent]) {
      InstrumentationContext.withValue(.topLevel) { recorded.logger.info("of the logger") }
    }
    #expect(try recorded.onlyRecord().ownFields == ["span_id"])
  }

  @Test func itCanBeSwitchedOff() throws {
    #expect(try record([Self.parent], tells: false).ownFields == [])
  }

  @Test func theContextFollowsTheTask() async throws {
    #expect(Self.isBootstrapped)
    let recorded = try RecordedLogger()
    let logger = recorded.logger
    await Headers.$current.withValue([Self.parent]) {
      await InstrumentationContext.withValue(.topLevel) {
        await Task.yield()
        async let child: Void = logger.info("in a child task", metadata: ["own": "field"])
        await child
      }
    }
    let record = try recorded.onlyRecord()
    #expect(record.ownFields == ["trace_id", "span_id", "trace_flags", "own"])
  }
}
