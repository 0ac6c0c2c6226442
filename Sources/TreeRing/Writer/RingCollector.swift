import CTreeRing

/// Takes over the rings of one process: a live one whose rings nobody drains (`TREERING_WRITER=external`), or a dead one, exactly where its writer stopped.
///
/// Used by one thread. The consumer's lock is held from `init` to the end of the object's life.
package final class RingCollector {
  /// The ring file.
  package let path: String
  private let attachment: RingAttachment
  private let drain: Drain

  /// How the last consumer's unfinished batch was settled; see `IntentJournal`.
  package let settlement: String

  /// Attaches to the file, settles what its last consumer left, and from then on drains into `sinks`.
  ///
  /// - Parameter isRecovered: lines are marked as written after their process's death.
  /// - Throws: `RingAttachment.Refusal` when somebody else consumes it or it is no ring file; `LogError` when cut lines cannot be taken back.
  package convenience init(
    path: String, isRecovered: Bool = false, sinks: (RingAttachment) throws -> [any Sink]
  ) throws {
    try self.init(routing: path, isRecovered: isRecovered) { attachment in
      try sinks(attachment).enumerated().map { SinkRoute($0.element, slot: $0.offset) }
    }
  }

  /// The same with sinks whose places and filters are given.
  package init(
    routing path: String, isRecovered: Bool = false, routes: (RingAttachment) throws -> [SinkRoute]
  ) throws {
    self.path = path
    attachment = try RingAttachment(path: path, consumes: true)
    let settled = try IntentJournal(attachment).settle()
    settlement = "\(settled)"
    isFinished = settled == .finished
    drain = Drain(
      attachment, routes: isFinished ? [] : try routes(attachment), requiresAll: true,
      isSameBoot: attachment.isSameBoot, isRecovered: isRecovered)
  }

  /// Whether the file is done with and removed, or about to be.
  package private(set) var isFinished: Bool

  /// What one step came to.
  package enum Step: Equatable {
    /// There is nothing new; the process lives.
    case idle
    /// Records were delivered; there may be more.
    case delivered
    /// A sink refused; the records wait in the ring.
    case failed(Errno)
    /// The process is gone, everything is delivered, the closing records are written and the file is removed.
    case finished
  }

  /// Delivers one batch, or closes the stream when the process is gone and nothing is left. Blocking, as the sinks are.
  package func step() -> Step {
    if isFinished {
      attachment.retire()
      return .finished
    }
    // Asked before the pass: what a process that is gone by now has committed, the pass sees.
    let isOver = !attachment.isProducerAlive || attachment.isSealed
    switch drain.pass(isFinal: isOver) {
    case .delivered: return .delivered
    case .failed(let error): return .failed(error)
    case .idle, .behind: return isOver ? close() : .idle
    }
  }

  // MARK: sleep (`CollectorBells` tells how)

  /// What the producers ring; nil when they do not, because their kernel refused or the file is gone.
  var bell: UnsafeMutablePointer<UInt32>? {
    guard unsafe attachment.load(attachment.header, \.bell_is_rung) == 1 else { return nil }
    return unsafe tr_header_bell(attachment.header)
  }

  /// Asks the producers to ring with their next record, or not to.
  func setParked(_ parked: Bool) {
    if parked { unsafe attachment.store(attachment.header, \.bell, 0) }
    for index in 0..<attachment.ringCount {
      guard let ring = unsafe attachment.ring(index) else { continue }
      unsafe _ = tr_guarded_or32(tr_ring_attention(ring), TR_ATTENTION_PARKED, !parked)
    }
  }

  /// Whether there is anything that has not been taken.
  var hasUnread: Bool {
    (0..<attachment.ringCount).contains { index in
      guard let ring = attachment.readRing(index) else { return false }
      return Drain.end(of: ring) != ring.tail
    }
  }

  // MARK: a bound for the last round

  /// Where each ring ended when ``mark()`` was called.
  private var marks: [UInt64] = []

  /// Remembers what is committed now.
  package func mark() {
    marks = (0..<attachment.ringCount).map { index in attachment.readRing(index).map { Drain.end(of: $0) } ?? 0 }
  }

  /// Whether everything that was committed at the last ``mark()`` is delivered. Never for a process that is gone: its stream is to be closed.
  package var hasReachedMark: Bool {
    guard attachment.isProducerAlive, !attachment.isSealed else { return false }
    return marks.indices.allSatisfy { index in attachment.readRing(index).map { $0.tail >= marks[index] } ?? true }
  }

  private func close() -> Step {
    if case .failed(let error) = drain.closeStream() { return .failed(error) }
    drain.synchronise()
    isFinished = true
    attachment.retire()
    return .finished
  }

  /// Makes what was delivered durable.
  package func synchronise() { drain.synchronise() }

  /// What was delivered so far.
  package var counters: DrainCounters { drain.counters }
}
