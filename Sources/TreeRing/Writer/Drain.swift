import CTreeRing

/// Takes records out of one process's rings, in order of time, spells them, and hands them to sinks, each record once.
///
/// A batch goes through four steps, and a death between any two of them loses and repeats nothing that a regular file took:
///
/// 1. **Collect**: look at the heads, merge, format. Nothing is changed.
/// 2. **Journal**: write into the process header where each ring will stand, and how long each file is; then `intent_state = 1`.
/// 3. **Write** the batch to the sinks.
/// 4. **Release**: move the tails; then `intent_state = 0`.
///
/// `IntentJournal.settle` mends what a death in 3 or 4 left. Used by one thread that holds the consumer's lock.
@safe
package final class Drain {
  let source: any RingSource
  private let sinks: [SinkLine]
  private var clock: TickClock
  /// Whether the producer's ticks are those of this process's clock.
  private let sharesClock: Bool
  private let pid: UInt32
  private let streamID: String
  private let isRecovered: Bool
  /// Rings whose header made no sense, and that has been told.
  private var damaged: Set<Int> = []
  /// Of each ring, by index: what its records have in common, and the time of the last one.
  private var contexts: [RecordContext] = unsafe []
  private(set) package var counters = DrainCounters()

  /// Bytes after which a batch is closed.
  static let batchSize = 262_144

  private final class SinkLine {
    let sink: any Sink
    let level: Level
    let formatter: any Formatter
    let output = OutputBuffer(capacity: Drain.batchSize + 65_536)

    init(_ sink: any Sink) {
      self.sink = sink
      level = sink.level
      formatter = sink.format.makeFormatter(colours: sink.colours)
    }
  }

  /// - Parameters:
  ///   - isSameBoot: false for a file from before the machine's last start, whose ticks only its own header explains.
  ///   - isRecovered: lines are marked as written after their process's death.
  package init(_ source: any RingSource, sinks: [any Sink], isSameBoot: Bool = true, isRecovered: Bool = false) {
    self.source = source
    self.isRecovered = isRecovered
    self.sinks = sinks.map(SinkLine.init)
    var header = source.readHeader() ?? TRProcessHeader()
    TickClock.choose()
    sharesClock = isSameBoot && header.clock_kind == tr_get_clock_kind()
    pid = header.pid
    streamID = unsafe hexadecimal(UnsafeBufferPointer(start: tr_header_stream_id(&header), count: 16))
    clock = TickClock(
      start: .init(ticks: header.clock_ticks, nanoseconds: header.clock_realtime), period: header.clock_period)
  }

  /// What came of one pass.
  package enum Outcome: Equatable {
    /// There was nothing to do.
    case idle
    /// A batch was delivered; there may be more.
    case delivered
    /// A sink refused; nothing was released, and the batch will come again.
    case failed(Errno)
  }

  /// Delivers one batch: at most about `batchSize` bytes of what had been committed when the pass began.
  ///
  /// - Parameter isFinal: the producer will commit nothing more, so nothing is held back for order.
  package func pass(isFinal: Bool = false) -> Outcome {
    if sharesClock { clock.resynchronise(.now()) }
    let bound = isFinal || !sharesClock ? UInt64.max : tr_ticks()
    for line in sinks { line.output.removeAll() }
    var counted = DrainCounters()
    var merge = unsafe TimeMerge(spans(upTo: bound, &counted))
    unsafe collect(&merge, upTo: bound, &counted)
    var told: [Int: [UInt64]] = [:]
    let lost = unsafe tellLosses(of: merge.spans.map { unsafe $0.index }, &told)
    guard counted.records > 0 || counted.unreadableBytes > 0 || !told.isEmpty || lost != nil || counted.damagedRings > 0
    else { return .idle }
    let positions = unsafe merge.spans.map {
      unsafe IntentJournal.Position($0.index, $0.position, $0.consumed, told[$0.index])
    }
    return deliver(positions, lost: lost, isLast: false, counted)
  }

  /// What each ring holds. A record cannot be of a later moment than the one after they were read; where a ring has been read up to `bound` only, one that
  /// says so is of that moment.
  private func spans(upTo bound: UInt64, _ counted: inout DrainCounters) -> [RingSpan] {
    var stretches = unsafe [(index: Int, ring: TRRing, bytes: UnsafeRawBufferPointer)]()
    for index in 0..<source.ringCount {
      // A slot without a mask has no ring yet.
      guard let ring = source.readRing(index), ring.mask != 0 else { continue }
      guard let head = head(of: ring), let bytes = unsafe source.records(index, from: ring.tail, to: head) else {
        tellDamage(index, ring, &counted)
        continue
      }
      unsafe stretches.append((index, ring, bytes))
    }
    let now = sharesClock ? tr_ticks() : .max
    return unsafe stretches.map {
      unsafe RingSpan(
        index: $0.index, position: $0.ring.tail, consumed: $0.ring.consumed, bytes: $0.bytes, now: now, bound: bound)
    }
  }

  /// Nil when what the header says cannot be: somebody wrote nonsense, and nothing of the ring can be trusted.
  private func head(of ring: TRRing) -> UInt64? {
    let end = Self.end(of: ring)
    guard ring.mask == UInt64(source.capacity - 1), end >= ring.tail, end - ring.tail <= UInt64(source.capacity)
    else { return nil }
    return end
  }

  /// Told once for each ring: it is looked at again in every pass, and may be whole again.
  private func tellDamage(_ index: Int, _ ring: TRRing, _ counted: inout DrainCounters) {
    guard damaged.insert(index).inserted else { return }
    counted.damagedRings += 1
    append(.unreadable(bytes: 0, sequence: ring.consumed), ring: index)
  }

  /// The head, or where a sealed ring ends: what was committed behind that has been moved to another file.
  private static func end(of ring: TRRing) -> UInt64 {
    let isSealed = ring.attention & TR_ATTENTION_SEALED != 0 && ring.sealed_head != 0
    return isSealed ? min(ring.head, ring.sealed_head & ~7) : ring.head
  }

  private func collect(_ merge: inout TimeMerge, upTo bound: UInt64, _ counted: inout DrainCounters) {
    var size = 0
    for index in unsafe merge.spans.indices where unsafe merge.spans[index].isUnreadable {
      // A ring goes on behind a stretch that was given up in an earlier pass; its account shows the numbers between as lost.
      if unsafe merge.spans[index].hasGap {
        unsafe merge.resume(index)
      } else {
        unsafe abandon(index, &merge, &counted)
      }
    }
    while size < Self.batchSize, let (index, until) = unsafe merge.oldest(upTo: bound) {
      var context = unsafe self.context(of: merge.spans[index].index)
      repeat {
        guard let record = unsafe merge.spans[index].next, unsafe record.ticks <= until else { break }
        unsafe append(record, &context)
        counted.records += 1
        size = sizeOfBatch(counted.records)
        unsafe merge.advance(index)
      } while unsafe size < Self.batchSize && !merge.spans[index].isUnreadable
      unsafe contexts[merge.spans[index].index].time = context.time
      if unsafe merge.spans[index].isUnreadable { unsafe abandon(index, &merge, &counted) }
    }
  }

  /// Bytes that the largest output has; where there is none, 4,096 records make a batch.
  private func sizeOfBatch(_ records: UInt64) -> Int {
    var size = 0
    for index in sinks.indices { size = max(size, sinks[index].output.count) }
    return size > 0 ? size : records > 4096 ? Self.batchSize : 0
  }

  private func append(_ record: RecordView, _ context: inout RecordContext) {
    unsafe context.time = max(unsafe clock.nanoseconds(record.ticks), context.time)
    unsafe context.label = source.label(record.label)
    for index in sinks.indices {
      let line = sinks[index]
      if unsafe record.level >= line.level { unsafe line.formatter.append(record, context, to: line.output) }
    }
  }

  /// What the formatter is told of a ring's records; `time` is that of the last one.
  private func context(of ring: Int) -> RecordContext {
    for index in unsafe contexts.count..<max(ring + 1, contexts.count) {
      let ring = "\(streamID).\(index)"
      unsafe contexts.append(RecordContext(time: 0, pid: pid, ring: ring, label: nil, isRecovered: isRecovered))
    }
    return unsafe contexts[ring]
  }

  private func append(_ notice: StreamNotice, ring: Int) {
    var context = unsafe self.context(of: ring)
    unsafe context.time = TickClock.Moment.now().nanoseconds
    for line in sinks { unsafe line.formatter.append(notice, context, to: line.output) }
  }

  /// The bytes from here to the head are no records: they are skipped, counted and told, and the account shows the records among them as lost.
  private func abandon(_ index: Int, _ merge: inout TimeMerge, _ counted: inout DrainCounters) {
    let span = unsafe merge.spans[index]
    let bytes = unsafe UInt64(merge.abandon(index))
    counted.unreadableBytes += bytes
    unsafe append(.unreadable(bytes: bytes, sequence: span.consumed), ring: span.index)
  }

  /// Writes a notice for each ring that has dropped since the last one, and returns what is then told of the whole process. Only rings of the
  /// batch: one that came to be since then has no place in the journal yet, and would be told again.
  private func tellLosses(of rings: [Int], _ told: inout [Int: [UInt64]]) -> UInt64? {
    for index in rings {
      guard var ring = source.readRing(index) else { continue }
      let (dropped, before) = unsafe (counters(tr_ring_dropped(&ring)), counters(tr_ring_told(&ring)))
      if dropped == before { continue }
      told[index] = dropped
      var total = before.reduce(0, &+)
      for cause in DropCause.allCases {
        let row = cause.rawValue * Int(TR_LEVELS)..<(cause.rawValue + 1) * Int(TR_LEVELS)
        let byLevel = Self.byLevel(zip(dropped[row], before[row]).map { $0 &- $1 })
        if byLevel.isEmpty { continue }
        total &+= byLevel.reduce(0) { $0 &+ $1.1 }
        append(
          .dropped(
            cause: cause, byLevel: byLevel, total: total, first: clock.nanoseconds(ring.first_drop),
            last: clock.nanoseconds(ring.last_drop)),
          ring: index)
      }
    }
    return tellLost()
  }

  private func tellLost() -> UInt64? {
    guard var header = source.readHeader() else { return nil }
    let byLevel = unsafe Self.byLevel(Array(UnsafeBufferPointer(start: tr_header_lost(&header), count: Int(TR_LEVELS))))
    let total = byLevel.reduce(0) { $0 &+ $1.1 }
    guard total != header.lost_told else { return nil }
    append(.lost(byLevel: byLevel, count: total &- header.lost_told, total: total), ring: 0)
    return total
  }

  private func counters(_ start: UnsafeMutablePointer<UInt64>) -> [UInt64] {
    unsafe Array(UnsafeBufferPointer(start: start, count: Int(TR_CAUSES * TR_LEVELS)))
  }

  private static func byLevel(_ counts: [UInt64]) -> [(Level, UInt64)] {
    Level.allCases.compactMap { counts[Int($0.rawValue)] > 0 ? ($0, counts[Int($0.rawValue)]) : nil }
  }

  /// Journal, write, release.
  private func deliver(
    _ positions: [IntentJournal.Position], lost: UInt64?, isLast: Bool, _ counted: DrainCounters
  ) -> Outcome {
    let journal = IntentJournal(source)
    do {
      let intents = unsafe try sinks.map { line throws(Errno) in
        unsafe (try line.sink.intent(length: line.output.count), line.output.bytes)
      }
      unsafe journal.begin(positions, intents, lost: lost, isLast: isLast)
    } catch {
      return refused(error)
    }
    var failure: Errno?
    var isTaken = sinks.isEmpty
    for line in sinks {
      do {
        try unsafe line.sink.write(line.output.bytes)
        isTaken = true
        counters.bytes += UInt64(line.output.count)
      } catch {
        failure = error
        counters.sinkErrors += 1
        isTaken = isTaken || !line.sink.canReturn(after: error)
      }
    }
    // With several sinks one that fails loses its copy, counted; alone it holds the records back.
    guard isTaken else {
      journal.cancel()
      return .failed(failure ?? Errno(0))
    }
    journal.release(isLast: isLast)
    counters.records += counted.records
    counters.unreadableBytes += counted.unreadableBytes
    counters.damagedRings += counted.damagedRings
    return .delivered
  }

  private func refused(_ error: Errno) -> Outcome {
    counters.sinkErrors += 1
    return .failed(error)
  }

  /// Writes the closing records of every ring and of the process. The producer must be gone or have sealed its rings, and everything must be delivered.
  ///
  /// A call that was under way when the rings were sealed may have dropped its record since the last pass. It is told first, and the closing records
  /// count what is told: so the notices of a ring always add up to what its closing record says.
  package func closeStream() -> Outcome {
    for line in sinks { line.output.removeAll() }
    var told: [Int: [UInt64]] = [:]
    let newlyLost = tellLosses(of: Array(0..<source.ringCount), &told)
    let lost = newlyLost ?? source.readHeader()?.lost_told ?? 0
    let ends = ends(told)
    if lost > 0 || ends.contains(where: { $0.consumed > 0 || $0.dropped > 0 }) { append(ends, lost: lost) }
    let positions = ends.map { IntentJournal.Position($0.index, $0.tail, $0.consumed, told[$0.index]) }
    return deliver(positions, lost: newlyLost, isLast: true, DrainCounters())
  }

  /// Where a ring stands at the end.
  private struct RingEnd {
    let index: Int
    var tail: UInt64 = 0
    var consumed: UInt64 = 0
    var dropped: UInt64 = 0
  }

  /// At least ring 0, even of a process that could make none: its closing record is what the process's own is numbered by.
  private func ends(_ told: [Int: [UInt64]]) -> [RingEnd] {
    (0..<max(source.ringCount, 1)).map { index in
      guard var ring = source.readRing(index) else { return RingEnd(index: index) }
      let dropped = unsafe (told[index] ?? counters(tr_ring_told(&ring))).reduce(0, &+)
      return RingEnd(index: index, tail: ring.tail, consumed: ring.consumed, dropped: dropped)
    }
  }

  private func append(_ ends: [RingEnd], lost: UInt64) {
    append(.processClosed(rings: UInt32(ends.count), lost: lost, sequence: ends[0].consumed), ring: 0)
    for end in ends {
      append(
        .ringClosed(committed: end.consumed &+ (end.index == 0 ? 1 : 0), dropped: end.dropped, filtered: 0),
        ring: end.index)
    }
  }

  /// Lets the sinks do what there is to do without a record. Returns when they want that again, in nanoseconds since 1970; nil: never.
  func attend() -> UInt64? { sinks.compactMap { $0.sink.attend() }.min() }

  /// Makes delivered records durable.
  package func synchronise() {
    for line in sinks { line.sink.synchronise() }
  }
}

/// What a drain has done.
package struct DrainCounters: Sendable, Equatable {
  /// Records delivered.
  package var records: UInt64 = 0
  /// Bytes written to sinks.
  package var bytes: UInt64 = 0
  /// Failed writes.
  package var sinkErrors: UInt64 = 0
  /// Bytes of rings that were no records.
  package var unreadableBytes: UInt64 = 0
  /// Rings whose headers made no sense.
  package var damagedRings: UInt64 = 0

  package init() {}

  /// Adds what another drain has done.
  package mutating func add(_ other: DrainCounters) {
    records += other.records
    bytes += other.bytes
    sinkErrors += other.sinkErrors
    unreadableBytes += other.unreadableBytes
    damagedRings += other.damagedRings
  }
}
