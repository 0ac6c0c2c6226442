import CTreeRing
import Glibc

/// What a batch has of one ring.
struct RingStretch {
  let ring: Int
  /// Numbers of its first record, and of the one behind its last.
  let begin: UInt64
  let end: UInt64
  /// Drops that it tells of, by cause and level; empty when it tells none.
  let drops: [UInt64]
  /// When the first and the last of them was, nanoseconds since 1970, by cause.
  let dropTimes: [Int: ClosedRange<UInt64>]

  var isEmpty: Bool { end == begin && drops.isEmpty }
}

/// One sink of a drain: what is formatted for it, what waits for it, what it has missed. `SinkState` decides; this does.
///
/// **While it works** a batch is formatted into `output` and written from there. **While it does not**, and another sink does, batches go to the `backlog`; once that is
/// full, records are only counted (`losses`), until the backlog has been written: so an outage makes one hole in each ring's records, and the sink is told of
/// it at its end. Memory: `output` and, in an outage, `backlogLimit` and one batch; while a slow reader is served, up to twice that.
///
/// Used by the drain's thread.
final class SinkLine {
  let sink: any Sink
  let slot: Int?
  let level: Level
  let labels: LabelFilter?
  let formatter: any Formatter
  /// It may not miss anything, so no error is final.
  private let isRequired: Bool
  let output = OutputBuffer(capacity: Drain.batchSize + 65_536)
  private let backlogLimit: Int
  private(set) var state = SinkState()
  private(set) var lastError = Errno.wouldBlock
  private(set) var isAbandoned = false

  /// Whole lines that wait, and how many bytes of them the sink has taken.
  private var backlog: [UInt8] = []
  private var taken = 0
  /// What it has missed and not been told, by ring.
  private(set) var losses: [Int: RingLoss] = [:]
  /// The part of the process's calls without a ring that it was told of.
  private(set) var lostReached: UInt64 = 0
  /// Those that it was not told of, as far as this consumer has told them to others.
  private(set) var lostMissed: DropStretch?
  /// Records lost for it in this outage, those included that it has been told of.
  private(set) var lostInOutage: UInt64 = 0

  init(_ route: SinkRoute, isRequired: Bool) {
    self.isRequired = isRequired
    sink = route.sink
    slot = route.slot.flatMap { $0 < Int(TR_MAX_SINKS) ? $0 : nil }
    level = route.sink.level
    labels = route.labels
    backlogLimit = route.backlogLimit
    formatter = route.sink.makeFormatter()
  }

  // MARK: a batch

  /// What becomes of a batch for this sink.
  enum Mode {
    /// Formatted and written.
    case direct
    /// Formatted and kept.
    case hold
    /// Counted.
    case miss
  }

  private(set) var mode = Mode.direct
  private var batch = Batch()

  /// What one batch has for this sink, by ring: how much its filter left out, and what it misses.
  struct Batch {
    var filtered: [Int: UInt64] = [:]
    var losses: [Int: RingLoss] = [:]
  }

  /// Whether something waits for it that comes before the next batch.
  var isBehind: Bool { !backlog.isEmpty || !losses.isEmpty }
  /// Whether it may be given a batch at once.
  var isReady: Bool { state.isTriable && !isBehind && !isAbandoned }
  var isGone: Bool { state.phase == .gone }
  var hasBacklog: Bool { !backlog.isEmpty }
  /// Whether it is only slow.
  var isStalled: Bool { if case .stalled = state.phase { true } else { false } }

  /// Returns what is to be told: that the sink begins to lose records.
  func beginBatch(_ now: UInt64) -> SinkState.Action {
    output.removeAll()
    batch = Batch()
    skipped = 0
    if isReady {
      mode = .direct
    } else if isGone || isAbandoned || !losses.isEmpty {
      mode = .miss
    } else if backlog.count - taken < backlogLimit {
      mode = .hold
    } else {
      mode = .miss
      return state.handle(.overflowed, at: now)
    }
    return .nothing
  }

  private var skipped: UInt64 = 0

  /// Formats a record, or counts it as filtered.
  @inline(__always)
  func append(_ record: RecordView, _ context: RecordContext) {
    guard unsafe record.level >= level, unsafe labels == nil || passes(record, context) else {
      skipped &+= 1
      return
    }
    unsafe formatter.append(record, context, to: output)
  }

  /// Counts a record that it does not get.
  func miss(_ record: RecordView, _ context: RecordContext, ring: Int) {
    guard unsafe record.level >= level, unsafe labels == nil || passes(record, context) else {
      skipped &+= 1
      return
    }
    var loss = unsafe batch.losses[ring] ?? RingLoss(first: record.sequence, end: record.sequence)
    loss.count &+= 1
    unsafe loss.byLevel[Int(record.level.rawValue)] &+= 1
    unsafe loss.times = (loss.times?.lowerBound ?? context.time)...max(context.time, loss.times?.upperBound ?? 0)
    batch.losses[ring] = loss
  }

  private func passes(_ record: RecordView, _ context: RecordContext) -> Bool {
    guard let labels else { return true }
    if let label = unsafe context.label { return unsafe labels.covers(label) }
    var covers = false
    unsafe record.withCarriedLabel { unsafe covers = labels.covers(UnsafeRawBufferPointer($0)) }
    return covers
  }

  /// A run of records of one ring has been appended or missed.
  func endRun(ring: Int) {
    if skipped > 0 { batch.filtered[ring, default: 0] &+= skipped }
    skipped = 0
  }

  /// To be told to the sink itself, once: nobody can see from its lines that some were left out.
  var filterNotice: StreamNotice? {
    guard !hasToldFilter, labels != nil || level > .trace else { return nil }
    return .sinkFiltered(sink: sink.name, level: level, labels: labels?.patterns ?? [])
  }

  private var hasToldFilter = false

  // MARK: writing

  /// How writing came out.
  enum Written {
    case all
    case some
    case none
  }

  /// Writes the batch. What the sink did not take of a batch that it began waits in the backlog.
  func writeBatch(patience: Int, now: UInt64, _ tell: (SinkState.Action) -> Void) -> Written {
    guard output.count > 0 else { return .all }
    switch unsafe attempt(output.bytes, patience, now, tell) {
    case nil: return isGone ? .all : .none
    case .some(output.count):
      if !state.isOK { tell(state.handle(.caughtUp, at: now)) }
      return .all
    case .some(let count):
      tell(state.handle(count > 0 && !state.isOK ? .progressed : .full, at: now))
      if count == 0 { return .none }
      let bytes = unsafe output.bytes
      let lineStart = unsafe bytes[..<count].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
      unsafe backlog.append(contentsOf: bytes[lineStart...])
      taken = count - lineStart
      return .some
    }
  }

  /// Nil after an error.
  private func attempt(
    _ bytes: UnsafeRawBufferPointer, _ patience: Int, _ now: UInt64, _ tell: (SinkState.Action) -> Void
  ) -> Int? {
    do {
      return try unsafe sink.accept(bytes, patienceMilliseconds: patience)
    } catch {
      refuse(error, now, tell)
      return nil
    }
  }

  func refuse(_ error: Errno, _ now: UInt64, _ tell: (SinkState.Action) -> Void) {
    lastError = error
    let isFinal = !isRequired && !sink.canReturn(after: error)
    tell(state.handle(.refused(error, isFinal: isFinal), at: now))
    if isFinal { forget() }
  }

  /// The batch is released: what this sink did not get of it is kept or counted.
  func commit(_ written: Written, _ stretches: [RingStretch]) {
    if mode != .miss { hasToldFilter = true }
    if isGone || isAbandoned {
      for stretch in stretches { lostInOutage &+= passed(stretch) }
      return
    }
    switch mode {
    case .direct:
      // Nothing of it was taken, but others have it.
      if written == .none { unsafe backlog.append(contentsOf: output.bytes) }
    case .hold: unsafe backlog.append(contentsOf: output.bytes)
    case .miss: for stretch in stretches where !stretch.isEmpty { miss(stretch) }
    }
  }

  /// The process's calls without a ring were told: to it, or to others.
  func commit(lost: DropStretch) {
    guard mode == .miss else { return reachLost(lost.total) }
    lostMissed = lostMissed.map { $0.followed(by: lost) } ?? lost
  }

  /// It has been told of so many calls without a ring.
  func reachLost(_ total: UInt64) { (lostReached, lostMissed) = (total, nil) }

  private func miss(_ stretch: RingStretch) {
    var loss = batch.losses[stretch.ring] ?? RingLoss(first: stretch.begin, end: stretch.end)
    (loss.first, loss.end) = (stretch.begin, stretch.end)
    (loss.drops, loss.dropTimes) = (stretch.drops, stretch.dropTimes)
    lostInOutage &+= loss.count
    if losses[stretch.ring] == nil { losses[stretch.ring] = loss } else { losses[stretch.ring]?.add(loss) }
  }

  /// How many of the batch's records of a ring pass the filter.
  private func passed(_ stretch: RingStretch) -> UInt64 {
    let filtered = batch.filtered[stretch.ring] ?? 0
    let count = stretch.end &- stretch.begin
    return count > filtered ? count &- filtered : 0
  }

  // MARK: catching up

  /// Whether it has something to be tried for, and the time for that has come.
  func mayTry(_ now: UInt64, atOnce: Bool) -> Bool {
    guard !state.isOK || isBehind, !isGone, !isAbandoned else { return false }
    return state.isOK || state.probe(now, atOnce: atOnce)
  }

  /// Makes a lost connection anew. False when that fails.
  func reopen(_ now: UInt64, _ tell: (SinkState.Action) -> Void) -> Bool {
    guard state.isBroken else { return true }
    do {
      if try sink.reopen() { taken = startOfCutLine }
      state.reopened()
      return true
    } catch {
      refuse(error, now, tell)
      return false
    }
  }

  /// Where the line begins of which the sink has a part.
  private var startOfCutLine: Int { backlog[..<taken].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0 }

  /// Bytes of the backlog that are still to be written.
  var waiting: Int { backlog.count - taken }

  /// The bytes that wait, as they will be written.
  func withWaiting(_ body: (UnsafeRawBufferPointer) -> Void) {
    unsafe backlog.withUnsafeBytes { unsafe body(UnsafeRawBufferPointer(rebasing: $0[taken...])) }
  }

  /// Writes the backlog. True when nothing of it is left.
  func writeBacklog(patience: Int, now: UInt64, _ tell: (SinkState.Action) -> Void) -> Bool {
    guard waiting > 0 else {
      forgetBacklog()
      return true
    }
    let count = unsafe backlog.withUnsafeBytes { bytes in
      unsafe attempt(UnsafeRawBufferPointer(rebasing: bytes[taken...]), patience, now, tell)
    }
    guard let count else { return false }
    taken += count
    guard waiting > 0 else {
      forgetBacklog()
      return true
    }
    tell(state.handle(count > 0 ? .progressed : .full, at: now))
    dropTakenLines()
    return false
  }

  /// Keeps memory within bounds while a slow reader is served: once half the backlog is taken, it is moved.
  private func dropTakenLines() {
    guard taken > backlog.count / 2 else { return }
    let lineStart = startOfCutLine
    backlog.removeFirst(lineStart)
    taken -= lineStart
  }

  private func forgetBacklog() {
    backlog = []
    taken = 0
  }

  /// Puts lines behind the backlog.
  func enqueue(_ bytes: UnsafeRawBufferPointer) { unsafe backlog.append(contentsOf: bytes) }

  private var missedNotice: Drain.OutageNotice?

  /// The notice of its own failure came when it took nothing any more.
  func miss(_ notice: Drain.OutageNotice) { missedNotice = missedNotice ?? notice }

  /// That notice, to be told first.
  func takeMissedNotice() -> Drain.OutageNotice? {
    defer { missedNotice = nil }
    return missedNotice
  }

  /// The sink has been told of what it missed.
  func forgetLosses() { losses = [:] }

  /// Takes over what a predecessor's sink has missed.
  func inherit(_ loss: RingLoss, ring: Int) {
    losses[ring] = loss
    lostInOutage &+= loss.count
  }

  /// It has everything that waited for it.
  func caughtUp(_ now: UInt64) -> SinkState.Action { state.handle(.caughtUp, at: now) }

  /// How many records the outage has cost that is over now.
  func settleOutage() -> UInt64 {
    defer { lostInOutage = 0 }
    return lostInOutage
  }

  private func forget() {
    lostInOutage &+= losses.values.reduce(0) { $0 &+ $1.count }
    forgetBacklog()
    forgetLosses()
  }

  /// The stream ends without it. Returns how many lines were waiting.
  func abandon() -> Int {
    isAbandoned = true
    return backlog[taken...].count { $0 == UInt8(ascii: "\n") }
  }

  // MARK: what the journal remembers

  /// How far it is with a ring after the batch. `hasAll`: it gets the batch, and nothing waits.
  func standing(_ before: TRSinkState, after stretch: RingStretch, hasAll: Bool) -> TRSinkState {
    var state = before
    state.filtered &+= batch.filtered[stretch.ring] ?? 0
    if hasAll {
      (state.reached, state.owed, state.owed_drops) = (stretch.end, 0, 0)
    } else {
      state.owed &+= passed(stretch)
      state.owed_drops &+= stretch.drops.reduce(0, &+)
    }
    return state
  }

  /// How far it is with a ring once the backlog is written, but not what came after it.
  func standingWithBacklog(_ before: TRSinkState, ring: Int, end: UInt64) -> TRSinkState {
    var state = before
    let loss = losses[ring]
    (state.reached, state.owed, state.owed_drops) = (loss?.first ?? end, loss?.count ?? 0, loss?.droppedTotal ?? 0)
    return state
  }
}
