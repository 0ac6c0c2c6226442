import CoreMetrics
import Logging
import MetricsTestKit
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing
import TreeRing

@testable import TreeRingLogging

/// The logger's own counters, as a metrics backend sees them.
@Suite struct LogMetricsTests {
  private let backend = TestMetrics()

  private func counters(
    emitted: UInt64 = 0, written: UInt64 = 0, truncated: UInt64 = 0, sinkErrors: UInt64 = 0, rings: Int = 0,
    highWater: UInt64 = 0, dropped: [LogCounters.Drop] = []
  ) -> LogCounters {
    var counters = LogCounters()
    (counters.emitted, counters.written, counters.truncated) = (emitted, written, truncated)
    (counters.sinkErrors, counters.rings, counters.dropped) = (sinkErrors, rings, dropped)
    counters.highWater = highWater
    return counters
  }

  @Test func reportsWhatCameSinceTheLastReport() throws {
    let metrics = LogMetrics(factory: backend)
    metrics.report(counters(emitted: 10, written: 8, rings: 2))
    metrics.report(counters(emitted: 15, written: 15, truncated: 1, sinkErrors: 3, rings: 4))
    #expect(try backend.expectCounter("treering_records_emitted_total").values == [10, 5])
    #expect(try backend.expectCounter("treering_records_written_total").values == [8, 7])
    #expect(try backend.expectCounter("treering_records_truncated_total").totalValue == 1)
    #expect(try backend.expectCounter("treering_sink_errors_total").totalValue == 3)
    #expect(try backend.expectMeter("treering_rings").values == [2, 4])
  }

  /// A mark is no sum: it is told as it stands, and begins anew with logging itself.
  @Test func theHighWaterMarkIsToldAsItStands() throws {
    let metrics = LogMetrics(factory: backend)
    for mark in [4096, 160_000, 160_000, 512] as [UInt64] { metrics.report(counters(highWater: mark)) }
    #expect(try backend.expectMeter("treering_ring_high_water_bytes").values == [4096, 160_000, 160_000, 512])
  }

  @Test func whatWasKeptBackIsTold() throws {
    let metrics = LogMetrics(factory: backend)
    var counters = counters()
    (counters.suppressed, counters.withheld) = (41, 3)
    metrics.report(counters)
    counters.suppressed = 50
    metrics.report(counters)
    #expect(try backend.expectCounter("treering_records_suppressed_total").values == [41, 9])
    #expect(try backend.expectCounter("treering_records_withheld_total").totalValue == 3)
  }

  @Test func dropsAreToldByCauseAndLevel() throws {
    let metrics = LogMetrics(factory: backend)
    let drop = LogCounters.Drop(cause: "ring full", level: .info, count: 5)
    metrics.report(counters())
    #expect(backend.counters(label: "treering_records_dropped_total").isEmpty)
    metrics.report(counters(dropped: [drop, .init(cause: "ring full", level: .debug, count: 2)]))
    metrics.report(counters(dropped: [.init(cause: "ring full", level: .info, count: 6)]))
    func dropped(_ level: String) throws -> [Int64] {
      try backend.expectCounter("treering_records_dropped_total", [("cause", "ring full"), ("level", level)]).values
    }
    #expect(try dropped("info") == [5, 1])
    #expect(try dropped("debug") == [2])
  }

  /// After `LogSystem.stop` and a new start the numbers begin at 0.
  @Test func countersThatBeginAnewAreAdded() throws {
    let metrics = LogMetrics(factory: backend)
    for emitted in [100, 0, 7, 9] as [UInt64] { metrics.report(counters(emitted: emitted)) }
    #expect(try backend.expectCounter("treering_records_emitted_total").totalValue == 109)
  }

  @Test func reportsOfTheProcessAreItsCounters() throws {
    let recorded = try RecordedLogger()
    recorded.logger.info("counted")
    LogSystem.flush()
    let metrics = LogMetrics(factory: backend)
    metrics.report()
    #expect(try backend.expectCounter("treering_records_emitted_total").totalValue > 0)
    #expect(try backend.expectMeter("treering_rings").values.first ?? 0 > 0)
    #expect(try backend.expectMeter("treering_ring_high_water_bytes").values.first ?? 0 > 0)
  }

  @Test func asAServiceItReportsOnceMoreAtTheEnd() async throws {
    let metrics = LogMetrics(factory: backend, interval: .seconds(3600))
    await testGracefulShutdown { trigger in
      async let running: Void = metrics.run()
      trigger.triggerGracefulShutdown()
      await running
    }
    #expect(try backend.expectCounter("treering_records_emitted_total").values.count == 1)
  }

  @Test func asAServiceItReportsAtEachInterval() async throws {
    let metrics = LogMetrics(factory: backend, interval: .milliseconds(1))
    let emitted = try backend.expectCounter("treering_records_emitted_total")
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await metrics.run() }
      while emitted.values.count < 3 { await Task.yield() }
      group.cancelAll()
    }
    #expect(emitted.values.count >= 4)
  }
}
