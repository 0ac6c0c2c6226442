package import TreeRing

/// The rings of every process in a directory: live ones that leave their rings to a collector, and dead ones.
///
/// A process with a writer thread of its own is left alone while it lives, for it holds the consumer's lock. One thread at a time.
package final class RingsInput {
  private let directory: String
  private let sinks: [any Sink]
  private let complain: (String) -> Void
  private var collectors: [String: RingCollector] = [:]
  private var refused: Set<String> = []
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
      // A directory that no process has made yet is nothing wrong.
      guard (try? Syscalls.status(ofPath: directory)) != nil else { return }
      try RingDirectory.check(directory)
      paths = try RingDirectory.files(in: directory)
      isDirectoryRefused = false
    } catch {
      if !isDirectoryRefused { complain("\(error)") }
      isDirectoryRefused = true
      return
    }
    refused.formIntersection(paths)
    for path in paths where collectors[path] == nil && !refused.contains(path) { attach(path) }
  }

  private func attach(_ path: String) {
    do {
      collectors[path] = try RingCollector(path: path) { _ in sinks }
    } catch RingAttachment.Refusal.busy {
      // Its own writer, or another collector: asked again at the next round, for it may die.
    } catch RingAttachment.Refusal.gone {
      // It was finished after the directory was listed: by its own process as a rule.
    } catch {
      refused.insert(path)
      complain("\(error); left alone")
    }
  }

  /// Takes one batch from each process.
  package func collect() -> Progress {
    var progress = Progress.idle
    for (path, collector) in collectors {
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
    if !isStalled { complain("cannot write the archive: \(error); records wait in their rings") }
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
