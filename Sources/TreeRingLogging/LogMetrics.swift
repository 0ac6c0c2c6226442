#if Metrics
  public import CoreMetrics
  internal import Synchronization
  package import TreeRing

  /// The logger's own counters for a metrics backend, by swift-metrics.
  ///
  /// | metric | kind | dimensions | what |
  /// |---|---|---|---|
  /// | `treering_records_emitted_total` | counter | | records committed to rings |
  /// | `treering_records_written_total` | counter | | records that have left the rings |
  /// | `treering_records_dropped_total` | counter | `cause`, `level` | calls that left no record |
  /// | `treering_records_truncated_total` | counter | | records that lost their end |
  /// | `treering_records_suppressed_total` | counter | | records that a call has held back: limits, samples, repeats |
  /// | `treering_records_withheld_total` | counter | | copies of records that one sink of several has not got |
  /// | `treering_sink_errors_total` | counter | | failed writes |
  /// | `treering_rings` | meter | | rings, each of `TREERING_RING_SIZE` bytes |
  /// | `treering_ring_high_water_bytes` | meter | | most bytes that ever waited in one ring; near five eighths of its size, debug records are dropped next |
  ///
  /// Somebody has to call ``report()`` now and then: this type itself, as a service of a group (with the trait `ServiceLifecycle`), or a timer of yours.
  /// Log calls pay nothing for it: the numbers are read from the rings' headers, where they are anyway.
  public final class LogMetrics: Sendable {
    /// How often ``run()`` reports.
    public let interval: Duration

    private let factory: any MetricsFactory
    private let emitted: Counter
    private let written: Counter
    private let truncated: Counter
    private let suppressed: Counter
    private let withheld: Counter
    private let sinkErrors: Counter
    private let rings: Meter
    private let highWater: Meter
    private let told = Mutex(Told())

    /// Makes the metrics in `factory`, which is the one that the process was bootstrapped with by default: so bootstrap first.
    public init(factory: any MetricsFactory = MetricsSystem.factory, interval: Duration = .seconds(10)) {
      self.factory = factory
      self.interval = interval
      emitted = Counter(label: "treering_records_emitted_total", factory: factory)
      written = Counter(label: "treering_records_written_total", factory: factory)
      truncated = Counter(label: "treering_records_truncated_total", factory: factory)
      suppressed = Counter(label: "treering_records_suppressed_total", factory: factory)
      withheld = Counter(label: "treering_records_withheld_total", factory: factory)
      sinkErrors = Counter(label: "treering_sink_errors_total", factory: factory)
      rings = Meter(label: "treering_rings", factory: factory)
      highWater = Meter(label: "treering_ring_high_water_bytes", factory: factory)
    }

    /// What was reported last, and the counters of drops, which come to be as drops do.
    private struct Told {
      var counters = LogCounters()
      var dropped: [Drop: Counter] = [:]

      struct Drop: Hashable {
        let cause: String
        let level: Level
      }
    }

    /// Reports what has happened since the last report. Any thread, any time; takes a lock of its own.
    public func report() { report(LogSystem.counters) }

    /// Reports the difference between `counters` and the last ones.
    package func report(_ counters: LogCounters) {
      told.withLock { told in
        let before = told.counters
        emitted.increment(by: Self.growth(from: before.emitted, to: counters.emitted))
        written.increment(by: Self.growth(from: before.written, to: counters.written))
        truncated.increment(by: Self.growth(from: before.truncated, to: counters.truncated))
        suppressed.increment(by: Self.growth(from: before.suppressed, to: counters.suppressed))
        withheld.increment(by: Self.growth(from: before.withheld, to: counters.withheld))
        sinkErrors.increment(by: Self.growth(from: before.sinkErrors, to: counters.sinkErrors))
        for drop in counters.dropped { report(drop, &told) }
        rings.set(counters.rings)
        highWater.set(Double(counters.highWater))
        told.counters = counters
      }
    }

    private func report(_ drop: LogCounters.Drop, _ told: inout Told) {
      let key = Told.Drop(cause: drop.cause, level: drop.level)
      let dimensions = [("cause", drop.cause), ("level", drop.level.name)]
      let counter =
        told.dropped[key]
        ?? Counter(label: "treering_records_dropped_total", dimensions: dimensions, factory: factory)
      told.dropped[key] = counter
      let before = told.counters.dropped.first { $0.cause == drop.cause && $0.level == drop.level }
      counter.increment(by: Self.growth(from: before?.count ?? 0, to: drop.count))
    }

    /// A number that has become smaller was counted anew, from 0: logging was stopped and started.
    private static func growth(from before: UInt64, to now: UInt64) -> Int64 {
      Int64(clamping: now >= before ? now - before : now)
    }
  }
#endif
