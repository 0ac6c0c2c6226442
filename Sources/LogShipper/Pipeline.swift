import Glibc
import Synchronization
package import TreeRing

/// Inputs joined to outputs, and the loop that moves records from one to the other. Runs on the thread that calls ``run()``.
package final class Pipeline: @unchecked Sendable {  // all but `isStopping` and `alarm` is the thread's in `run`
  private let inputs: [RingsInput]
  private let isStopping = Atomic<Bool>(false)

  private let bells = CollectorBells()

  /// How often ring files are looked for, and deaths; nanoseconds, as all of these.
  private static let discoveryPeriod: UInt64 = 100_000_000
  private static let synchronisePeriod: UInt64 = 1_000_000_000
  /// Between two rounds while records come, so that a round takes many.
  private static let nap: Int64 = 500_000
  private static let napsBeforeSleeping = 8
  /// Between two attempts with a sink that refuses.
  private static let stallNap: Int64 = 20_000_000

  /// Opens the outputs. Blocking.
  ///
  /// - Parameter complain: takes one line whenever something goes wrong that the pipeline lives through.
  /// - Throws: ``ConfigurationError`` when an output cannot be used.
  package init(_ configuration: ShipperConfiguration, complain: @escaping (String) -> Void) throws(ConfigurationError) {
    var sinks: [any Sink] = []
    for output in configuration.outputs {
      do { sinks.append(try FileOutput(path: configuration.resolve(output.path))) } catch {
        throw ConfigurationError(configuration.file, line: output.line, "outputs.\(output.name).path: \(error)")
      }
    }
    inputs = configuration.inputs.map { RingsInput(directory: $0.directory, sinks: sinks, complain: complain) }
  }

  /// Ships until ``stop()``, then delivers what there is by then, closes the streams of the processes that are gone, and returns. Can be called again.
  package func run() {
    var naps = 0
    var discovery: UInt64 = 0
    var synchronise = Syscalls.now(CLOCK_MONOTONIC) + Self.synchronisePeriod
    while !isStopping.load(ordering: .acquiring) {
      let now = Syscalls.now(CLOCK_MONOTONIC)
      if now >= discovery {
        inputs.forEach { $0.discover() }
        discovery = now + Self.discoveryPeriod
      }
      if now >= synchronise {
        inputs.forEach { $0.synchronise() }
        synchronise = now + Self.synchronisePeriod
      }
      let progress = collect()
      naps = progress == .delivered ? 0 : naps + 1
      pause(progress, naps, until: min(discovery, synchronise))
    }
    isComplete = inputs.map { $0.finish() }.allSatisfy(\.self)
    isStopping.store(false, ordering: .releasing)
  }

  /// Naps while records come, and a little longer; then sleeps until a process rings. A process that logs every millisecond is not made to ring for each record.
  private func pause(_ progress: RingsInput.Progress, _ naps: Int, until end: UInt64) {
    if progress == .stalled { return bells.nap(nanoseconds: Self.stallNap) }
    if naps <= Self.napsBeforeSleeping { return bells.nap(nanoseconds: Self.nap) }
    let now = Syscalls.now(CLOCK_MONOTONIC)
    guard end > now else { return }
    bells.sleep(inputs.flatMap { $0.attached }, nanoseconds: Int64(end - now))
  }

  private func collect() -> RingsInput.Progress { inputs.map { $0.collect() }.max() ?? .idle }

  /// Whether the last rounds could deliver all there was; if not, records wait in their rings for the next run, and the reason was told. Only after ``run()``.
  package private(set) var isComplete = true

  /// Ends ``run()`` soon. From any thread, and from a signal handler.
  package func stop() {
    isStopping.store(true, ordering: .releasing)
    bells.wake()
  }

  /// What was delivered. Only from the thread in ``run()``, or after it.
  package var counters: DrainCounters {
    inputs.reduce(into: DrainCounters()) { $0.add($1.counters) }
  }
}
