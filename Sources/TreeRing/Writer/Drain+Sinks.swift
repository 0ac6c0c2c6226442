import CTreeRing
import Glibc

/// Delivery to several sinks, each of which may fail by itself.
///
/// **While one works**, the rings are emptied into it; one that does not keeps its copies in a bounded backlog, then loses them, and is told of it when it is back (in
/// the archive's account that is a drop, `RingLoss`). **While none works**, nothing is taken: the rings are the only memory that outlives the process.
///
/// **Bounds.** A sink that begins to stall holds the others for `Patience.shared`, once an outage; a sink that is alone is waited for `Patience.alone` at a time. The
/// others see nothing of an outage but notices.
extension Drain {
  /// How long a reader that does not read is waited for, in milliseconds.
  enum Patience {
    static let alone = 100
    static let shared = 10
  }

  /// A notice about a sink, and when it happened.
  struct OutageNotice {
    let notice: StreamNotice
    /// Nanoseconds since 1970.
    let time: UInt64
    /// The sink it is about.
    unowned let line: SinkLine
  }

  // MARK: who may go on

  /// Whether records may be taken from the rings: a sink takes them, or none ever will. One that was given up may have them from recovery.
  var mayCollect: Bool {
    if requiresAll { return lines.allSatisfy(\.isReady) }
    return lines.contains(where: \.isReady) || lines.allSatisfy(\.isGone)
  }

  /// Whether a sink that works would have something to do.
  var hasWork: Bool {
    if suspended != nil || lines.contains(where: { $0.hasBacklog && !$0.isGone }) { return true }
    return (0..<source.ringCount).contains { index in source.readRing(index).map { $0.head != $0.tail } ?? false }
  }

  /// Of a sink that is in the way.
  var blockingError: Errno { lines.first { !$0.isReady && !$0.isAbandoned }?.lastError ?? .wouldBlock }

  /// When a sink is to be tried again, nanoseconds of the monotonic clock; nil: there is nothing to try one for.
  ///
  /// - Parameter hasRecords: records wait in the rings for a sink to work again.
  func nextAttempt(hasRecords: Bool) -> UInt64? {
    let now = monotonic()
    return lines.compactMap { line in
      line.isAbandoned || !line.isBehind && !hasRecords ? nil : line.state.nextAttempt(now)
    }.min()
  }

  // MARK: catching up

  /// Gives the sinks that are behind what waits for them.
  ///
  /// - Parameter atOnce: without regard to the pause after a failure.
  func catchUp(_ now: UInt64, atOnce: Bool = false) {
    for line in lines where line.mayTry(now, atOnce: atOnce) {
      let patience = lines.count == 1 ? Patience.alone : 0
      guard line.reopen(now, { tell($0, of: line) }) else {
        counters.sinkErrors += 1
        continue
      }
      let hadBacklog = line.isBehind
      while true {
        guard writeBacklog(of: line, patience, now) else { break }
        guard !line.losses.isEmpty else {
          // With nothing to write there is no proof that it works: the next batch is the proof.
          if hadBacklog { tell(line.caughtUp(now), of: line) }
          break
        }
        tellLosses(to: line)
      }
    }
  }

  /// Writes the backlog, journalled. True when nothing is left of it.
  private func writeBacklog(of line: SinkLine, _ patience: Int, _ now: UInt64) -> Bool {
    guard line.waiting > 0 else { return line.writeBacklog(patience: 0, now: now) { _ in } }
    let journal = IntentJournal(source)
    do {
      try begin(journal, backlogOf: line)
    } catch {
      counters.sinkErrors += 1
      line.refuse(error, now) { tell($0, of: line) }
      return false
    }
    let before = line.waiting
    let isAll = line.writeBacklog(patience: patience, now: now) { tell($0, of: line) }
    counters.bytes += UInt64(before - line.waiting)
    if isAll {
      journal.release(isLast: false)
    } else {
      if line.state.isBroken { counters.sinkErrors += 1 }
      journal.cancel()
    }
    return isAll
  }

  private func begin(_ journal: IntentJournal, backlogOf line: SinkLine) throws(Errno) {
    let destination = try line.sink.intent(length: line.waiting)
    guard let slot = line.slot else { return unsafe journal.begin([], unsafe [], .init(), lost: nil, isLast: false) }
    var standings = IntentJournal.Standings()
    for index in 0..<source.ringCount {
      guard let ring = source.readRing(index) else { continue }
      let state = SinkStandings.state(ring, slot: slot)
      standings.rings[index] = [slot: line.standingWithBacklog(state, ring: index, end: ring.consumed)]
    }
    standings.lost = [slot: line.lostReached]
    if hasClosed { standings.closed = 1 << UInt64(slot) }
    unsafe line.withWaiting { bytes in
      unsafe journal.begin(
        [], [.init(slot: slot, destination: destination, bytes: bytes)], standings, lost: nil, isLast: false)
    }
  }

  /// Puts notices of all that the sink has missed behind its backlog.
  private func tellLosses(to line: SinkLine) {
    line.output.removeAll()
    if let missed = line.takeMissedNotice() { append(missed.notice, ring: 0, time: missed.time, to: line) }
    for (index, loss) in line.losses.sorted(by: { $0.key < $1.key }) {
      if let notice = loss.withheld { append(notice, ring: index, to: line) }
      if loss.droppedTotal > 0 { tellDrops(loss, ring: index, to: line) }
    }
    if let total = toldLost, total != line.lostReached {
      // Of what a predecessor left, only how many there were is known.
      let count = total &- line.lostReached
      let missed = line.lostMissed.flatMap { $0.count == count ? $0 : nil }
      append(.lost(byLevel: missed?.byLevel ?? [], count: count, total: total, times: missed?.times), ring: 0, to: line)
      line.reachLost(total)
    }
    unsafe line.enqueue(line.output.bytes)
    line.forgetLosses()
  }

  /// The notices of drops that it has missed, as they were, or, of a predecessor, their sum.
  private func tellDrops(_ loss: RingLoss, ring index: Int, to line: SinkLine) {
    guard var ring = source.readRing(index) else { return }
    var total = unsafe counters(tr_ring_told(&ring)).reduce(0, &+) &- loss.droppedTotal
    if loss.untold > 0 {
      total &+= loss.untold
      append(.untold(count: loss.untold, total: total), ring: index, to: line)
    }
    guard !loss.drops.isEmpty else { return }
    for cause in DropCause.allCases {
      let byLevel = Self.byLevel(Array(loss.drops[Self.row(of: cause)]))
      guard !byLevel.isEmpty, let times = loss.dropTimes[cause.rawValue] else { continue }
      total &+= byLevel.reduce(0) { $0 &+ $1.1 }
      append(dropNotice(cause, byLevel, total: total, times), ring: index, to: line)
    }
  }

  // MARK: a batch

  /// Journal, write, release.
  func deliver(_ batch: Batch, _ counted: DrainCounters, _ now: UInt64) -> Outcome {
    var writers: [(line: SinkLine, destination: SinkIntent)] = []
    for line in lines where line.mode == .direct && line.output.count > 0 {
      do {
        writers.append((line, try line.sink.intent(length: line.output.count)))
      } catch {
        refuse(line, error, now)
      }
    }
    let journal = IntentJournal(source)
    begin(journal, batch, writers)
    var written: [ObjectIdentifier: SinkLine.Written] = [:]
    for (line, _) in writers { written[ObjectIdentifier(line)] = write(line, now) }
    guard isTaken(written) else {
      journal.cancel()
      return .failed(blockingError)
    }
    let delivery = Suspended(batch: batch, counted: counted, written: written)
    if isOnlyBegun(delivery) {
      suspended = delivery
      return .failed(.wouldBlock)
    }
    finish(delivery, journal)
    return .delivered
  }

  /// A batch that is journalled, and what each sink has of it.
  struct Suspended {
    let batch: Batch
    let counted: DrainCounters
    var written: [ObjectIdentifier: SinkLine.Written]
  }

  /// Whether the only sink has a part of the batch: then the batch stays in the rings until it has all, for what waits in a backlog dies with the process.
  private func isOnlyBegun(_ delivery: Suspended) -> Bool {
    delivery.written.values.contains(.some) && lines.count { !$0.isGone && !$0.isAbandoned } == 1
  }

  /// Goes on with a batch that was only begun. What such a sink is given is journalled as something that nothing is known of.
  func resume(_ delivery: Suspended, _ now: UInt64) -> Outcome {
    var delivery = delivery
    for line in lines where delivery.written[ObjectIdentifier(line)] == .some {
      guard line.mayTry(now, atOnce: false), line.reopen(now, { tell($0, of: line) }) else { continue }
      let before = line.waiting
      let isAll = line.writeBacklog(patience: lines.count == 1 ? Patience.alone : 0, now: now) { tell($0, of: line) }
      counters.bytes += UInt64(max(before - line.waiting, 0))
      guard isAll else { continue }
      delivery.written[ObjectIdentifier(line)] = .all
      tell(line.caughtUp(now), of: line)
    }
    suspended = delivery
    guard delivery.written.values.contains(.all) || lines.allSatisfy(\.isGone) else {
      return .failed(blockingError)
    }
    suspended = nil
    finish(delivery, IntentJournal(source))
    return .delivered
  }

  private func finish(_ delivery: Suspended, _ journal: IntentJournal) {
    let batch = delivery.batch
    for line in lines { commit(line, delivery.written, batch, journal) }
    journal.release(isLast: isLast(batch))
    notices.removeFirst(toldNotices)
    toldNotices = 0
    counters.records += delivery.counted.records
    counters.unreadableBytes += delivery.counted.unreadableBytes
    counters.damagedRings += delivery.counted.damagedRings
  }

  private func refuse(_ line: SinkLine, _ error: Errno, _ now: UInt64) {
    counters.sinkErrors += 1
    line.refuse(error, now) { tell($0, of: line) }
  }

  private func write(_ line: SinkLine, _ now: UInt64) -> SinkLine.Written {
    let patience = lines.count == 1 ? Patience.alone : Patience.shared
    let result = line.writeBatch(patience: patience, now: now) { tell($0, of: line) }
    if line.state.isBroken { counters.sinkErrors += 1 }
    if result == .all { counters.bytes += UInt64(line.output.count) }
    return result
  }

  /// Whether the batch leaves the rings: a sink has begun it, or none ever will. One that filtered all of it has it, too.
  private func isTaken(_ written: [ObjectIdentifier: SinkLine.Written]) -> Bool {
    if lines.allSatisfy(\.isGone) { return true }
    return lines.contains { line in
      guard line.mode == .direct, !line.isGone else { return false }
      if line.output.count == 0 { return !line.state.isBroken }
      return written[ObjectIdentifier(line)].map { $0 != .none } ?? false
    }
  }

  private func begin(
    _ journal: IntentJournal, _ batch: Batch, _ writers: [(line: SinkLine, destination: SinkIntent)]
  ) {
    var standings = IntentJournal.Standings()
    for line in lines { add(line, to: &standings, batch, hasAll: line.mode == .direct) }
    let intents = unsafe writers.compactMap { line, destination -> IntentJournal.Intent? in
      guard let slot = line.slot else { return nil }
      return unsafe IntentJournal.Intent(slot: slot, destination: destination, bytes: line.output.bytes)
    }
    unsafe journal.begin(batch.positions, intents, standings, lost: batch.lost?.counts, isLast: isLast(batch))
  }

  private func add(_ line: SinkLine, to standings: inout IntentJournal.Standings, _ batch: Batch, hasAll: Bool) {
    guard let slot = line.slot else { return }
    for stretch in batch.stretches {
      guard let ring = source.readRing(stretch.ring) else { continue }
      standings.rings[stretch.ring, default: [:]][slot] =
        line.standing(SinkStandings.state(ring, slot: slot), after: stretch, hasAll: hasAll)
    }
    if hasAll, let lost = batch.lost { standings.lost[slot] = lost.total }
    if hasAll, batch.isClosing, !line.isAbandoned { standings.closed |= 1 << UInt64(slot) }
  }

  /// The batch leaves the rings; a sink that did not take it keeps it in its backlog, or counts it.
  private func commit(
    _ line: SinkLine, _ written: [ObjectIdentifier: SinkLine.Written], _ batch: Batch, _ journal: IntentJournal
  ) {
    let result = written[ObjectIdentifier(line)] ?? (line.output.count == 0 && !line.state.isBroken ? .all : .none)
    if line.mode == .direct, result != .all, let slot = line.slot {
      var standings = IntentJournal.Standings()
      add(line, to: &standings, batch, hasAll: false)
      journal.withhold(slot: slot, standings)
    }
    let before = line.lostInOutage
    line.commit(result, batch.stretches)
    counters.withheld += line.lostInOutage &- before
    if let lost = batch.lost { line.commit(lost: lost) }
    // Its own failure is told to it when it is back.
    if line.mode == .miss, let own = notices.prefix(toldNotices).first(where: { $0.line === line }) { line.miss(own) }
  }

  /// Whether nothing is left to be done with the ring file afterwards: the batch closes the stream, and no file lacks it.
  private func isLast(_ batch: Batch) -> Bool {
    batch.isClosing && !lines.contains { ($0.isAbandoned || $0.hasBacklog) && $0.sink is FileSink }
  }

  // MARK: telling

  /// Remembers what is to be told of a sink, for the next batch.
  func tell(_ action: SinkState.Action, of line: SinkLine) {
    let notice: StreamNotice
    switch action {
    case .nothing: return
    case .tellFailure(let error):
      notice = .sinkFailed(sink: line.sink.name, error: line.sink.describe(error))
      complainUnlessTold(line, error)
    case .tellReturn(let nanoseconds):
      notice = .sinkBack(sink: line.sink.name, lost: line.settleOutage(), nanoseconds: nanoseconds)
    }
    notices.append(OutageNotice(notice: notice, time: Syscalls.now(CLOCK_REALTIME), line: line))
  }

  /// With no other sink to tell it to, standard error is told.
  private func complainUnlessTold(_ line: SinkLine, _ error: Errno) {
    let others = lines.filter { $0 !== line }
    guard !others.contains(where: { $0.state.isOK }) else { return }
    let what = line.sink.describe(error)
    complain?(
      line.isGone
        ? "\(line.sink.name): \(what); records are not written any more"
        : "cannot write the log to \(line.sink.name): \(what); keeping records in memory and trying again")
  }

  /// Gives up on the sinks that do not work: the stream is closed without them. Returns a line about each.
  ///
  /// A batch that was only begun stays in the rings.
  package func abandon() -> [String] {
    let isSuspended = suspended != nil
    return lines.filter { (!$0.state.isOK || $0.isBehind) && !$0.isGone && !$0.isAbandoned }.map { line in
      let waiting = isSuspended ? 0 : line.abandon()
      var what = "the end of the log does not reach \(line.sink.name): \(line.sink.describe(line.lastError))"
      if waiting > 0 { what += "; \(waiting) lines that waited for it are lost" }
      return line.sink is FileSink ? "\(what); run treering recover to finish it" : what
    }
  }

  /// Whether the ring file has to stay for recovery: a file lacks its closing records.
  package var leavesFileOpen: Bool { lines.contains { $0.isAbandoned && $0.sink is FileSink } }

  /// Whether there is a sink to close the stream in.
  package var hasReadySink: Bool { lines.contains(where: \.isReady) }

  /// Ends the sinks, each with a bounded wait.
  package func finishSinks() { for line in lines { line.sink.finish() } }
}
