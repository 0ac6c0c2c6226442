package import TreeRing

/// The rings of every process in a directory: live ones that leave their rings to a collector, and dead ones.
///
/// A process with a writer thread of its own is left alone while it lives, for it holds the consumer's lock. One thread at a time.
package final class RingsInput {
  private let directory: String
  private let sinks: [any Sink]
  private let complain: (String) -> Void
  private var collectors: [String: RingCollector] = [:]
  /// Files that are no ring files of ours, and stay that.
  private var refused: Set<String> = []
  /// Files that could not be opened, or taken over, at the last round, and why.
  private var problems: [String: String] = [:]
  private var isDirectoryRefused = false
  /// Records and bytes of processes that are finished.
  private var past = DrainCounters()

  /// - Parameter complain: takes one line for each file that cannot be used, and each outage of a sink.
  package init(directory: String, sinks: [any Sink], complain: @escaping (String) -> Void) {
    self.directory = directory
    self.sinks = sinks
    self.complain = complain
  }

  /// What a round came to.
  package enum Progress: Int, Comparable {
    /// Nothing new anywhere.
    case idle
    /// A sink refuses; records wait in their rings.
    case stalled
    /// Something was delivered.
    case delivered

    package static func < (left: Progress, right: Progress) -> Bool { left.rawValue < right.rawValue }
  }

  /// Looks for ring files that have come, and attaches to those that nobody consumes.
  package func discover() {
    let paths: [String]
    do {
      guard try RingDirectory.exists(directory) else { return }
      try RingDirectory.check(directory)
      paths = try RingDirectory.files(in: directory)
      isDirectoryRefused = false
    } catch {
      if !isDirectoryRefused { complain("\(error)") }
      isDirectoryRefused = true
      return
    }
    refused.formIntersection(paths)
    problems = problems.filter { paths.contains($0.key) }
    for path in paths where collectors[path] == nil && !refused.contains(path) { attach(path) }
  }

  private func attach(_ path: String) {
    do {
      collectors[path] = try RingCollector(path: path) { _ in sinks }
      problems[path] = nil
    } catch RingAttachment.Refusal.busy {
      // Its own writer, or another collector: asked again at the next round, for it may die.
    } catch RingAttachment.Refusal.gone {
      // It was finished after the directory was listed: by its own process as a rule.
    } catch RingAttachment.Refusal.unusable(let reason) {
      refused.insert(path)
      complain("\(reason); left alone")
    } catch {
      // For lack of descriptors, say, or because half a batch could not be taken back from a full disk: asked again at the next round, told once.
      let problem = "\(error)"
      if problems[path] != problem { complain("\(problem); tried again") }
      problems[path] = problem
    }
  }

  /// Takes one batch from each process.
  package func collect() -> Progress { collect { _ in true } }

  /// Delivers what is committed now, and closes the streams of the processes that are gone, and lets go of all rings. What a process commits meanwhile is for
  /// the next collector, so this ends however much it logs.
  ///
  /// - Returns: whether all of it could be delivered; if not, the reason was told.
  package func finish() -> Bool {
    var progress = Progress.idle
    // Twice, because a process may have ended, and so become ours, between the first look and its end.
    for _ in 0..<2 {
      discover()
      collectors.values.forEach { $0.mark() }
      repeat { progress = collect { !$0.hasReachedMark } } while progress == .delivered
    }
    synchronise()
    past = counters
    collectors = [:]
    return progress == .idle && problems.isEmpty && !isDirectoryRefused
  }

  private func collect(where isWanted: (RingCollector) -> Bool) -> Progress {
    var progress = Progress.idle
    for (path, collector) in collectors where isWanted(collector) {
      switch collector.step() {
      case .idle: continue
      case .delivered: progress = max(progress, .delivered)
      case .failed(let error):
        tellStall(error)
        progress = max(progress, .stalled)
      case .finished:
        past.add(collector.counters)
        collectors[path] = nil
        progress = max(progress, .delivered)
      }
    }
    if progress == .delivered { isStalled = false }
    return progress
  }

  private var isStalled = false

  private func tellStall(_ error: Errno) {
    let outputs = sinks.map(\.name).joined(separator: ", ")
    if !isStalled { complain("cannot write to \(outputs): \(error); records wait in their rings") }
    isStalled = true
  }

  /// Makes durable what was delivered.
  package func synchronise() { sinks.forEach { $0.synchronise() } }

  /// What was delivered since the start.
  package var counters: DrainCounters {
    collectors.values.reduce(into: past) { $0.add($1.counters) }
  }

  /// Those whose rings are attached now, for the sleep between two rounds.
  package var attached: [RingCollector] { Array(collectors.values) }

  /// Processes whose rings are attached now.
  package var processCount: Int { collectors.count }
}
