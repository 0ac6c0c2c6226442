import Glibc
import Synchronization
package import TreeRing

/// Inputs joined to outputs, and the loop that moves records from one to the other. Runs on the thread that calls ``run()``.
package final class Pipeline: @unchecked Sendable {  // everything but `isStopping` belongs to the thread in `run`
  private let inputs: [RingsInput]
  private let isStopping = Atomic<Bool>(false)

  /// How often ring files are looked for, and how long a round without news sleeps.
  private static let discoveryMilliseconds = 100
  private static let shortestSleepMilliseconds = 1
  private static let longestSleepMilliseconds = 20
  private static let synchroniseMilliseconds = 1000

  /// Opens the outputs. Blocking.
  ///
  /// - Parameter complain: takes one line whenever something goes wrong that the pipeline lives through.
  /// - Throws: ``LogError`` when an output cannot be used.
  package init(_ configuration: ShipperConfiguration, complain: @escaping (String) -> Void) throws(LogError) {
    var sinks: [any Sink] = []
    for output in configuration.outputs {
      sinks.append(try FileOutput(path: configuration.resolve(output.path)))
    }
    inputs = configuration.inputs.map { RingsInput(directory: $0.directory, sinks: sinks, complain: complain) }
  }

  /// Ships until ``stop()``, then delivers what there is, closes the streams of the processes that are gone, and returns.
  package func run() {
    var sleep = Self.shortestSleepMilliseconds
    var untilDiscovery = 0
    var untilSynchronise = Self.synchroniseMilliseconds
    while !isStopping.load(ordering: .acquiring) {
      if untilDiscovery <= 0 {
        inputs.forEach { $0.discover() }
        untilDiscovery = Self.discoveryMilliseconds
      }
      // Doubling while nothing comes keeps an idle pipeline quiet and a busy one prompt.
      sleep = collect() == .delivered ? Self.shortestSleepMilliseconds : min(sleep * 2, Self.longestSleepMilliseconds)
      Syscalls.sleep(nanoseconds: sleep * 1_000_000)
      untilDiscovery -= sleep
      untilSynchronise -= sleep
      if untilSynchronise <= 0 {
        inputs.forEach { $0.synchronise() }
        untilSynchronise = Self.synchroniseMilliseconds
      }
    }
    finish()
  }

  private func collect() -> RingsInput.Progress { inputs.map { $0.collect() }.max() ?? .idle }

  /// The last rounds: twice, because a process may have ended, and so become ours, between the first look and its end.
  private func finish() {
    for _ in 0..<2 {
      inputs.forEach { $0.discover() }
      while collect() == .delivered {}
    }
    inputs.forEach { $0.synchronise() }
  }

  /// Ends ``run()`` soon. From any thread, and from a signal handler.
  package func stop() { isStopping.store(true, ordering: .releasing) }

  /// What was delivered. Only from the thread in ``run()``, or after it.
  package var counters: DrainCounters {
    inputs.reduce(into: DrainCounters()) { $0.add($1.counters) }
  }
}
