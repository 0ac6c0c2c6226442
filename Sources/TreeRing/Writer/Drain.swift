import CTreeRing
import Glibc

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
///
/// A sink that fails or stalls does not hold up the others (`Drain+Sinks.swift`, `SinkLine`, `SinkState`); when none works, records stay in the rings.
@safe
package final class Drain {
  let source: any RingSource
  let lines: [SinkLine]
  /// Lines that the batch is formatted for, and those that miss it.
  private var receiving: [SinkLine] = []
  private var missing: [SinkLine] = []
  /// No sink may miss anything: as long as one fails, nothing is taken from the rings.
  let requiresAll: Bool
  /// Nanoseconds of a clock that never steps. A test puts its own here.
  var monotonic: () -> UInt64 = { Syscalls.now(CLOCK_MONOTONIC) }
  /// Takes a line when no sink can be told that one has failed.
  var complain: ((String) -> Void)?
  /// Told to the sinks with the next batch.
  var notices: [OutageNotice] = []
  /// How many of them are in the batch.
  var toldNotices = 0
  /// The batch that a sink has begun and none has finished.
  var suspended: Suspended?
  private var hasHurried = false
  /// The closing records are written, or wait in the backlogs.
  private(set) var hasClosed = false
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
  private let templates = RecordTemplates()
  private let labels = LabelCopies()
  package internal(set) var counters = DrainCounters()

  /// Bytes after which a batch is closed.
  static let batchSize = 262_144

  /// Drains into `sinks`, each in the slot of its place. No sink misses anything; see the other initialiser.
  ///
  /// - Parameter isSameBoot: false for a file from before the machine's last start, whose ticks only its own header explains.
  package convenience init(_ source: any RingSource, sinks: [any Sink], isSameBoot: Bool = true) {
    self.init(
      source, routes: sinks.enumerated().map { SinkRoute($0.element, slot: $0.offset) }, requiresAll: true,
      isSameBoot: isSameBoot)
  }

  /// - Parameters:
  ///   - requiresAll: as long as one sink fails, nothing is taken from the rings. Else a sink that fails while another works loses its copy, counted.
  ///   - isSameBoot: false for a file from before the machine's last start, whose ticks only its own header explains.
  ///   - isRecovered: lines are marked as written after their process's death.
  package init(
    _ source: any RingSource, routes: [SinkRoute], requiresAll: Bool, isSameBoot: Bool = true, isRecovered: Bool = false
  ) {
    self.source = source
    self.requiresAll = requiresAll
    self.isRecovered = isRecovered
    lines = routes.map { SinkLine($0, isRequired: requiresAll) }
    var header = source.readHeader() ?? TRProcessHeader()
    TickClock.choose()
    sharesClock = isSameBoot && header.clock_kind == tr_get_clock_kind()
    pid = header.pid
    streamID = unsafe hexadecimal(UnsafeBufferPointer(start: tr_header_stream_id(&header), count: 16))
    clock = TickClock(
      start: .init(ticks: header.clock_ticks, nanoseconds: header.clock_realtime), period: header.clock_period)
    let standings = SinkStandings(source: source)
    lines.forEach(standings.adopt)
  }

  /// What came of one pass.
  package enum Outcome: Equatable {
    /// There was nothing to do.
    case idle
    /// A batch was delivered; there may be more.
    case delivered
    /// There was nothing to do but for a sink that is slow and has not got everything yet.
    case behind
    /// No sink took anything (of those that may not miss anything, one did not): the records wait in the rings.
    case failed(Errno)
  }

  /// Delivers one batch: at most about `batchSize` bytes of what had been committed when the pass began.
  ///
  /// - Parameter isFinal: the producer will commit nothing more, so nothing is held back for order.
  package func pass(isFinal: Bool = false) -> Outcome {
    let now = monotonic()
    if let suspended { return resume(suspended, now) }
    catchUp(now)
    guard mayCollect else { return hasWork ? .failed(blockingError) : .idle }
    if sharesClock { clock.resynchronise(.now()) }
    let bound = isFinal || !sharesClock ? UInt64.max : tr_ticks()
    beginBatch(now)
    let isTelling = tellOutages()
    var counted = DrainCounters()
    var merge = unsafe TimeMerge(spans(upTo: bound, &counted))
    let begins = unsafe merge.spans.map { unsafe $0.consumed }
    unsafe collect(&merge, upTo: bound, &counted)
    var told: [Int: ToldDrops] = [:]
    let lost = unsafe tellLosses(of: merge.spans.map { unsafe $0.index }, &told)
    let isDamaged = counted.damagedRings > 0
    guard counted.records > 0 || counted.unreadableBytes > 0 || !told.isEmpty || lost != nil || isTelling || isDamaged
    else {
      return lines.contains { $0.isStalled } ? .behind : .idle
    }
    let batch = unsafe Batch(
      positions: merge.spans.map {
        unsafe IntentJournal.Position($0.index, $0.position, $0.consumed, told[$0.index]?.counts)
      },
      stretches: zip(merge.spans, begins).map { unsafe stretch($0.index, $1, $0.consumed, told[$0.index]) }, lost: lost)
    return deliver(batch, counted, now)
  }

  /// What one batch moves.
  struct Batch {
    var positions: [IntentJournal.Position]
    var stretches: [RingStretch]
    /// The calls without a ring that it tells of; nil when it tells none.
    var lost: DropStretch?
    var isClosing = false
  }

  /// The drops of a ring that a batch tells of.
  struct ToldDrops {
    /// All that the stream has been told of then, by cause and level.
    var counts: [UInt64]
    /// When those were that the batch tells of, by cause.
    var times: [Int: ClosedRange<UInt64>] = [:]
  }

  private func stretch(_ ring: Int, _ begin: UInt64, _ end: UInt64, _ told: ToldDrops?) -> RingStretch {
    guard let told, var state = source.readRing(ring) else {
      return RingStretch(ring: ring, begin: begin, end: end, drops: [], dropTimes: [:])
    }
    let before = unsafe counters(tr_ring_told(&state))
    let drops = zip(told.counts, before).map { $0 &- $1 }
    return RingStretch(ring: ring, begin: begin, end: end, drops: drops, dropTimes: told.times)
  }

  private func beginBatch(_ now: UInt64) {
    for line in lines { tell(line.beginBatch(now), of: line) }
    receiving = lines.filter { $0.mode != .miss }
    for line in receiving {
      if let notice = line.filterNotice { append(notice, ring: 0, to: line) }
    }
    missing = lines.filter { $0.mode == .miss }
  }

  /// What each ring holds. A record cannot be of a later moment than the one after they were read; where a ring has been read up to `bound` only, one that
  /// says so is of that moment.
  private func spans(upTo bound: UInt64, _ counted: inout DrainCounters) -> [RingSpan] {
    var stretches = unsafe [(index: Int, ring: TRRing, bytes: UnsafeRawBufferPointer, beyond: UInt64)]()
    let longest = UInt64(source.longestStretch)
    for index in 0..<source.ringCount {
      // A slot without a mask has no ring yet.
      guard let ring = source.readRing(index), ring.mask != 0 else { continue }
      guard let head = head(of: ring), let bytes = unsafe records(index, from: ring.tail, to: head, longest: longest)
      else {
        tellDamage(index, ring, &counted)
        continue
      }
      noteHighWater(index, ring, waiting: head - ring.tail)
      unsafe stretches.append((index, ring, bytes, head - ring.tail - UInt64(bytes.count)))
    }
    let now = sharesClock ? tr_ticks() : .max
    return unsafe stretches.map {
      unsafe RingSpan(
        index: $0.index, position: $0.ring.tail, consumed: $0.ring.consumed, bytes: $0.bytes, beyond: $0.beyond,
        now: now, bound: bound)
    }
  }

  /// All that waits in a ring, or as many whole records of it as are worth copying.
  private func records(
    _ ring: Int, from tail: UInt64, to head: UInt64, longest: UInt64
  ) -> UnsafeRawBufferPointer? {
    guard head - tail > longest else { return unsafe source.records(ring, from: tail, to: head) }
    guard let bytes = unsafe source.records(ring, from: tail, to: tail + longest) else { return nil }
    var end = 0
    while end < bytes.count, let record = unsafe RecordView(UnsafeRawBufferPointer(rebasing: bytes[end...])) {
      unsafe end += record.stride
    }
    // Nothing readable: what begins there is no record, and goes with all behind it.
    return unsafe end > 0 ? UnsafeRawBufferPointer(rebasing: bytes[..<min(end, bytes.count)]) : bytes
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

  /// How full a ring has been, for whoever chooses its size.
  private func noteHighWater(_ index: Int, _ ring: TRRing, waiting: UInt64) {
    guard waiting > ring.high_water, let address = unsafe source.ring(index) else { return }
    unsafe source.store(address, \.high_water, waiting)
  }

  /// The head, or where a sealed ring ends: what was committed behind that has been moved to another file.
  static func end(of ring: TRRing) -> UInt64 {
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
      if missing.isEmpty, receiving.count == 1 {
        size = unsafe collect(&merge, index, upTo: until, &context, into: receiving[0], &counted.records)
      } else {
        unsafe merge.take(from: index, upTo: until) { record, ring in
          unsafe append(&record, &context, ring: ring)
          counted.records += 1
          size = sizeOfBatch(counted.records)
          return size < Self.batchSize
        }
      }
      for line in lines { unsafe line.endRun(ring: merge.spans[index].index) }
      unsafe contexts[merge.spans[index].index].time = context.time
      if unsafe merge.spans[index].isUnreadable { unsafe abandon(index, &merge, &counted) }
    }
  }

  /// Bytes that the largest output has; where there is none, 4,096 records make a batch.
  private func sizeOfBatch(_ records: UInt64) -> Int {
    var size = 0
    for index in receiving.indices { size = max(size, receiving[index].output.count) }
    return size > 0 ? size : records > Self.mostFiltered ? Self.batchSize : 0
  }

  /// Records after which a batch is closed of which no sink gets anything.
  private static let mostFiltered: UInt64 = 4096

  @inline(__always)
  private func append(_ record: inout RecordView, _ context: inout RecordContext, ring: Int) {
    unsafe complete(&record, &context)
    for index in receiving.indices { unsafe receiving[index].append(record, context) }
    for index in missing.indices { unsafe missing[index].miss(record, context, ring: ring) }
  }

  @inline(__always)
  private func complete(_ record: inout RecordView, _ context: inout RecordContext) {
    unsafe templates.complete(&record, from: source)
    unsafe context.time = max(unsafe clock.nanoseconds(record.ticks), context.time)
    let label = unsafe labels.label(record.label, from: source)
    unsafe context.label = label.text
    unsafe context.isLabelPlain = label.isPlain
  }

  /// Takes a run of one ring's records into the only sink there is. Returns the size of the batch.
  private func collect(
    _ merge: inout TimeMerge, _ index: Int, upTo until: UInt64, _ context: inout RecordContext, into line: SinkLine,
    _ records: inout UInt64
  ) -> Int {
    let output = line.output
    var count = records
    unsafe merge.take(from: index, upTo: until) { record, _ in
      unsafe complete(&record, &context)
      unsafe line.append(record, context)
      count &+= 1
      return output.count < Self.batchSize && (output.count > 0 || count <= Self.mostFiltered)
    }
    records = count
    return sizeOfBatch(records)
  }

  /// What the formatter is told of a ring's records; `time` is that of the last one.
  private func context(of ring: Int) -> RecordContext {
    for index in unsafe contexts.count..<max(ring + 1, contexts.count) {
      let ring = RingName(stream: streamID, index: index)
      unsafe contexts.append(RecordContext(time: 0, pid: pid, ring: ring, label: nil, isRecovered: isRecovered))
    }
    return unsafe contexts[ring]
  }

  private func append(_ notice: StreamNotice, ring: Int) {
    for line in receiving { append(notice, ring: ring, to: line) }
  }

  /// - Parameter time: nanoseconds since 1970; nil: now.
  func append(_ notice: StreamNotice, ring: Int, time: UInt64? = nil, to line: SinkLine) {
    var context = unsafe self.context(of: ring)
    unsafe context.time = time ?? TickClock.Moment.now().nanoseconds
    unsafe line.formatter.append(notice, context, to: line.output)
  }

  /// Tells every sink that takes this batch which one has failed, and which is back. True when there was anything.
  private func tellOutages() -> Bool {
    toldNotices = 0
    guard !receiving.isEmpty else { return false }
    for notice in notices { for line in receiving { append(notice.notice, ring: 0, time: notice.time, to: line) } }
    toldNotices = notices.count
    return toldNotices > 0
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
  private func tellLosses(of rings: [Int], _ told: inout [Int: ToldDrops]) -> DropStretch? {
    for index in rings {
      guard var ring = source.readRing(index), let address = unsafe source.ring(index) else { continue }
      let (dropped, before) = unsafe (counters(tr_ring_dropped(&ring)), counters(tr_ring_told(&ring)))
      if dropped == before { continue }
      var drops = ToldDrops(counts: dropped)
      var total = before.reduce(0, &+)
      for cause in DropCause.allCases {
        let row = Self.row(of: cause)
        drops.counts.replaceSubrange(row, with: before[row])
        guard let stretch = unsafe stretch(of: cause, address, told: Array(before[row])) else { continue }
        drops.counts.replaceSubrange(row, with: stretch.counts)
        drops.times[cause.rawValue] = stretch.times
        total &+= stretch.count
        append(dropNotice(cause, stretch.byLevel, total: total, stretch.times), ring: index)
      }
      told[index] = drops
    }
    return tellLost()
  }

  static func row(of cause: DropCause) -> Range<Int> {
    cause.rawValue * Int(TR_LEVELS)..<(cause.rawValue + 1) * Int(TR_LEVELS)
  }

  private func stretch(of cause: DropCause, _ ring: UnsafeMutablePointer<TRRing>, told: [UInt64]) -> DropStretch? {
    let cells = unsafe tr_ring_dropped(ring) + Self.row(of: cause).lowerBound
    let (times, mark) = unsafe (tr_ring_drop_times(ring) + cause.rawValue, tr_ring_drop_marks(ring) + cause.rawValue)
    return unsafe DropStretch(cells, times, mark, told: told).map(timed)
  }

  private func timed(_ stretch: DropStretch) -> DropStretch {
    var stretch = stretch
    let (first, last) = (clock.nanoseconds(stretch.times.lowerBound), clock.nanoseconds(stretch.times.upperBound))
    stretch.times = min(first, last)...max(first, last)
    return stretch
  }

  func dropNotice(
    _ cause: DropCause, _ byLevel: [(Level, UInt64)], total: UInt64, _ times: ClosedRange<UInt64>
  ) -> StreamNotice {
    .dropped(cause: cause, byLevel: byLevel, total: total, first: times.lowerBound, last: times.upperBound)
  }

  private func tellLost() -> DropStretch? {
    guard let (lost, told) = readLost(), lost != told else { return nil }
    let header = unsafe source.header
    let stretch = unsafe DropStretch(
      tr_header_lost(header), tr_header_lost_times(header), tr_header_lost_mark(header), told: told)
    guard let stretch = stretch.map(timed) else { return nil }
    append(
      .lost(byLevel: stretch.byLevel, count: stretch.count, total: stretch.total, times: stretch.times), ring: 0)
    return stretch
  }

  /// The calls without a ring, by level, and of how many the stream was told. Asked in every pass, which a copy of the whole header would make long.
  private func readLost() -> (lost: [UInt64], told: [UInt64])? {
    let header = unsafe source.header
    var lost = [UInt64](repeating: 0, count: Int(TR_LEVELS))
    var told = lost
    guard unsafe tr_guarded_copy(&lost, tr_header_lost(header), lost.count * 8),
      unsafe tr_guarded_copy(&told, tr_header_lost_told(header), told.count * 8)
    else { return nil }
    return (lost, told)
  }

  /// Of how many calls without a ring the stream was told.
  var toldLost: UInt64? { readLost()?.told.reduce(0, &+) }

  func counters(_ start: UnsafeMutablePointer<UInt64>) -> [UInt64] {
    unsafe Array(UnsafeBufferPointer(start: start, count: Int(TR_CAUSES * TR_LEVELS)))
  }

  static func byLevel(_ counts: [UInt64]) -> [(Level, UInt64)] {
    Level.allCases.compactMap { counts[Int($0.rawValue)] > 0 ? ($0, counts[Int($0.rawValue)]) : nil }
  }

  /// Writes the closing records of every ring and of the process. The producer must be gone or have sealed its rings, and everything must be delivered.
  ///
  /// A call that was under way when the rings were sealed may have dropped its record since the last pass. It is told first, and the closing records
  /// count what is told: so the notices of a ring always add up to what its closing record says.
  ///
  /// Nothing is written as long as a sink is not where the others are; `abandon()` gives up on those.
  package func closeStream() -> Outcome {
    let now = monotonic()
    if let suspended, resume(suspended, now) != .delivered { return .failed(blockingError) }
    // Once without regard to pauses; a child process that does not last is not started a hundred times.
    catchUp(now, atOnce: !hasHurried)
    hasHurried = true
    guard lines.allSatisfy({ $0.isReady || $0.isAbandoned || $0.isGone }) else { return .failed(blockingError) }
    // A sink had refused the closing records, and has them by now.
    if hasClosed { return .delivered }
    beginBatch(now)
    _ = tellOutages()
    var told: [Int: ToldDrops] = [:]
    let newlyLost = tellLosses(of: Array(0..<source.ringCount), &told)
    let lost = newlyLost?.total ?? toldLost ?? 0
    let ends = ends(told)
    if lost > 0 || ends.contains(where: { $0.consumed > 0 || $0.dropped > 0 }) { append(ends, lost: lost) }
    let batch = Batch(
      positions: ends.map { IntentJournal.Position($0.index, $0.tail, $0.consumed, told[$0.index]?.counts) },
      stretches: ends.map { stretch($0.index, $0.consumed, $0.consumed, told[$0.index]) }, lost: newlyLost,
      isClosing: true)
    guard case .delivered = deliver(batch, DrainCounters(), now) else { return .failed(blockingError) }
    hasClosed = true
    return lines.contains { $0.hasBacklog && !$0.isAbandoned } ? .failed(blockingError) : .delivered
  }

  /// Where a ring stands at the end.
  private struct RingEnd {
    let index: Int
    var tail: UInt64 = 0
    var consumed: UInt64 = 0
    var dropped: UInt64 = 0
  }

  /// At least ring 0, even of a process that could make none: its closing record is what the process's own is numbered by.
  private func ends(_ told: [Int: ToldDrops]) -> [RingEnd] {
    (0..<max(source.ringCount, 1)).map { index in
      guard var ring = source.readRing(index) else { return RingEnd(index: index) }
      let dropped = unsafe (told[index]?.counts ?? counters(tr_ring_told(&ring))).reduce(0, &+)
      return RingEnd(index: index, tail: ring.tail, consumed: ring.consumed, dropped: dropped)
    }
  }

  private func append(_ ends: [RingEnd], lost: UInt64) {
    append(.processClosed(rings: UInt32(ends.count), lost: lost, sequence: ends[0].consumed), ring: 0)
    for end in ends {
      let committed = end.consumed &+ (end.index == 0 ? 1 : 0)
      for line in receiving {
        let filtered = filtered(line, ring: end.index)
        append(.ringClosed(committed: committed, dropped: end.dropped, filtered: filtered), ring: end.index, to: line)
      }
    }
  }

  /// Lets the sinks do what there is to do without a record. Returns when they want that again, in nanoseconds since 1970; nil: never.
  func attend() -> UInt64? { lines.compactMap { $0.sink.attend() }.min() }

  private func filtered(_ line: SinkLine, ring index: Int) -> UInt64 {
    guard let slot = line.slot, let ring = source.readRing(index) else { return 0 }
    return SinkStandings.state(ring, slot: slot).filtered
  }

  /// Makes delivered records durable.
  package func synchronise() {
    for line in lines { line.sink.synchronise() }
  }
}

/// What a drain has done.
package struct DrainCounters: Sendable, Equatable {
  /// Records delivered.
  package var records: UInt64 = 0
  /// Bytes written to sinks.
  package var bytes: UInt64 = 0
  /// Failed writes, and failed attempts to open a sink again.
  package var sinkErrors: UInt64 = 0
  /// Copies of records that one sink has not got, though others have.
  package var withheld: UInt64 = 0
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
    withheld += other.withheld
    unreadableBytes += other.unreadableBytes
    damagedRings += other.damagedRings
  }
}
