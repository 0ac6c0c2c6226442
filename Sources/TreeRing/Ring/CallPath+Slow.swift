public import CTreeRing
import Glibc

/// Why a record was dropped; the row in `TRRing.dropped`.
@frozen
@usableFromInline
package enum DropCause: Int, CaseIterable, Sendable {
  /// The consumer is behind.
  case ringFull
  /// A call inside a call inside a call …: deeper than `TR_MAX_DEPTH`, or no ring could be had for it.
  case nestedTooDeep

  package var name: String {
    switch self {
    case .ringFull: "ring full"
    case .nestedTooDeep: "calls nested too deep"
    }
  }

  /// Of calls that found no ring to be counted in: they are counted in the header of the ring file.
  package static let noRing = "no ring"
}

/// The rare turns of a call. None of them allocates or locks, so that a signal handler may take them; the ones that make a ring enter the kernel.
extension CallPath {
  /// A ring with room for the largest record, or nil: the drop is counted.
  ///
  /// - Parameter taken: the thread's ring when it was taken but is nearly full; nil when a call is under way on this thread, or it has no ring yet.
  @usableFromInline
  @inline(never)
  static func takeSlowly(
    _ thread: UnsafeMutablePointer<TRThread>, _ taken: UnsafeMutablePointer<TRRing>?, _ level: Level
  ) -> UnsafeMutablePointer<TRRing>? {
    if let ring = unsafe taken { return unsafe makeRoom(ring, thread, level) }
    // A signal handler's record that matters must not end up aside: it passes by.
    if level == .debug, let ring = unsafe tr_flight_take_pending() { return unsafe ring }
    guard LogSystem.isStartedOrStarts(), let producer = unsafe tr_producer() else { return nil }
    if unsafe thread.pointee.generation != producer.pointee.generation { unsafe forgetRings(thread, producer) }
    if unsafe thread.pointee.rings.0 == nil {
      let ring = unsafe firstCall(thread, producer, level)
      // Inside a call that goes aside the first one is a nested one: the outer call's cursor has to be kept.
      guard unsafe ring != nil, unsafe tr_flight_thread().pointee.depth > 0 else { return unsafe ring }
    }
    return unsafe nestedCall(thread, producer, level)
  }

  /// The ring's consumer may have moved on since the producer last looked. A record that matters more may also use what is kept for its kind.
  private static func makeRoom(
    _ ring: UnsafeMutablePointer<TRRing>, _ thread: UnsafeMutablePointer<TRThread>, _ level: Level
  ) -> UnsafeMutablePointer<TRRing>? {
    if unsafe hasRoom(ring, level) { return unsafe ring }
    if unsafe tr_load32(&ring.pointee.attention) & TR_ATTENTION_SEALED != 0 {
      unsafe thread.pointee = TRThread()
      return unsafe takeSlowly(thread, nil, level)
    }
    if unsafe tr_producer()?.pointee.block == 1, unsafe waitForRoom(ring, level) { return unsafe ring }
    unsafe countDrop(ring, .ringFull, level)
    unsafe tr_give_back(thread, ring)
    return nil
  }

  /// Reads the consumer's position again. A ring that fills sheds the lowest levels first: `reserve` bytes are kept for those above.
  ///
  /// The fast path knows no levels, so `limit` is that of the lowest: in the last quarter of a ring every call comes here.
  private static func hasRoom(_ ring: UnsafeMutablePointer<TRRing>, _ level: Level) -> Bool {
    let capacity = unsafe ring.pointee.mask + 1
    let head = unsafe ring.pointee.head
    let tail = unsafe min(tr_load64(&ring.pointee.tail), head)
    let used = min(head - tail, capacity)
    let largest = unsafe ring.pointee.max_record
    unsafe tr_store64(&ring.pointee.limit, head - used + capacity - reserve(.trace, capacity) - largest)
    return capacity - used >= largest + reserve(level, capacity)
  }

  /// Bytes that a record of `level` leaves free: a quarter of the ring is kept for info and above, an eighth for warning and above.
  private static func reserve(_ level: Level, _ capacity: UInt64) -> UInt64 {
    level >= .warning ? 0 : level >= .info ? capacity / 8 : capacity / 4
  }

  /// `TREERING_WHEN_FULL=block`: waits until there is room, at most a fifth of a second. By the clock: a sleep of 50 µs takes twice as long, and more on a machine
  /// that is busy.
  private static func waitForRoom(_ ring: UnsafeMutablePointer<TRRing>, _ level: Level) -> Bool {
    let end = Syscalls.now(CLOCK_MONOTONIC) + longestWait
    repeat {
      Syscalls.sleep(nanoseconds: 50_000)
      if unsafe hasRoom(ring, level) { return true }
    } while Syscalls.now(CLOCK_MONOTONIC) < end
    return false
  }

  /// Nanoseconds.
  private static let longestWait: UInt64 = 200_000_000

  static func countDrop(_ ring: UnsafeMutablePointer<TRRing>, _ cause: DropCause, _ level: Level) {
    let row = unsafe tr_ring_dropped(ring) + cause.rawValue * Int(TR_LEVELS)
    let (times, mark) = unsafe (tr_ring_drop_times(ring) + cause.rawValue, tr_ring_drop_marks(ring) + cause.rawValue)
    unsafe tr_count_drop(row, UInt32(level.rawValue), times, mark, tr_ticks())
  }

  /// A ring of this thread belongs to a file that was closed, or to the parent of a fork.
  private static func forgetRings(
    _ thread: UnsafeMutablePointer<TRThread>, _ producer: UnsafeMutablePointer<TRProducer>
  ) {
    unsafe thread.pointee = TRThread()
    unsafe thread.pointee.generation = producer.pointee.generation
  }

  /// The first call on a thread. `making` sends a signal handler that logs meanwhile away.
  private static func firstCall(
    _ thread: UnsafeMutablePointer<TRThread>, _ producer: UnsafeMutablePointer<TRProducer>, _ level: Level
  ) -> UnsafeMutablePointer<TRRing>? {
    guard let ring = unsafe makeRing(thread, producer, depth: 0) else {
      unsafe countLost(producer.pointee.header, level)
      return nil
    }
    unsafe tr_watch_thread_end({ unsafe CallPath.threadEnded($0) }, thread)
    if tr_watches_crashes() { tr_prepare_thread_for_crash() }
    return unsafe hasRoom(ring, level) ? ring : makeRoom(ring, thread, level)
  }

  /// A call inside an argument of another one, or in a signal handler that interrupted one: it gets a ring of its own.
  private static func nestedCall(
    _ thread: UnsafeMutablePointer<TRThread>, _ producer: UnsafeMutablePointer<TRProducer>, _ level: Level
  ) -> UnsafeMutablePointer<TRRing>? {
    let depth = unsafe Int(thread.pointee.depth) + 1
    guard depth < Int(TR_MAX_DEPTH) else {
      if let outermost = unsafe thread.pointee.rings.0 { unsafe countDrop(outermost, .nestedTooDeep, level) }
      return nil
    }
    unsafe thread.pointee.depth = UInt32(depth)
    let rings = unsafe tr_thread_rings(thread)
    if unsafe rings[depth] == nil { unsafe _ = makeRing(thread, producer, depth: depth) }
    guard let ring = unsafe rings[depth], unsafe hasRoom(ring, level) else {
      let cause = unsafe rings[depth] == nil ? DropCause.nestedTooDeep : .ringFull
      if let counting = unsafe rings[depth] ?? rings[0] { unsafe countDrop(counting, cause, level) }
      unsafe thread.pointee.depth = UInt32(depth - 1)
      return nil
    }
    unsafe tr_thread_saved_cursors(thread)[depth] = thread.pointee.cursor
    unsafe tr_thread_saved_limits(thread)[depth] = thread.pointee.limit
    unsafe tr_thread_saved_slots(thread)[depth] = thread.pointee.slots
    return unsafe ring
  }

  /// Makes a ring and enters it as the thread's, as one step: a signal handler that logs in between would make, and lose, a second one.
  private static func makeRing(
    _ thread: UnsafeMutablePointer<TRThread>, _ producer: UnsafeMutablePointer<TRProducer>, depth: Int
  ) -> UnsafeMutablePointer<TRRing>? {
    guard unsafe thread.pointee.making == 0 else { return nil }
    unsafe thread.pointee.making = 1
    defer { unsafe thread.pointee.making = 0 }
    let ring = unsafe RingSlots.acquire(producer, depth: depth)
    unsafe tr_thread_rings(thread)[depth] = ring
    return unsafe ring
  }

  static func countLost(_ header: UnsafeMutablePointer<TRProcessHeader>, _ level: Level) {
    unsafe tr_count_drop(
      tr_header_lost(header), UInt32(level.rawValue), tr_header_lost_times(header), tr_header_lost_mark(header),
      tr_ticks())
  }

  /// The end of a call whose ring wants attention: wakes the consumer, moves a record that came too late, returns to the outer call.
  @usableFromInline
  @inline(never)
  static func finishAttended(
    _ thread: UnsafeMutablePointer<TRThread>, _ ring: UnsafeMutablePointer<TRRing>,
    _ start: UnsafeMutablePointer<UInt8>, _ attention: UInt32
  ) {
    if attention & TR_ATTENTION_LEARNING != 0 {
      unsafe SiteTable.learn(thread)
      let rest = unsafe forgetLearning(ring)
      return unsafe rest == 0 ? tr_give_back(thread, ring) : finishAttended(thread, ring, start, rest)
    }
    if attention & TR_ATTENTION_DIVERTED != 0 { return unsafe finishDiverted(thread, ring, start) }
    if attention & TR_ATTENTION_ASIDE != 0 { return unsafe finishAside(thread, ring, start) }
    if attention & TR_ATTENTION_PARKED != 0 {
      unsafe _ = tr_and32(&ring.pointee.attention, ~TR_ATTENTION_PARKED)
      LogSystem.wakeConsumer()
    }
    if attention & TR_ATTENTION_NESTED != 0 {
      if attention & TR_ATTENTION_SEALED != 0, unsafe !wasInTime(ring) {
        let level = unsafe Level(rawValue: TRRecord(at: start).level) ?? .critical
        if let producer = unsafe tr_producer() { unsafe countLost(producer.pointee.header, level) }
      }
      let depth = unsafe Int(ring.pointee.depth)
      unsafe thread.pointee.cursor = tr_thread_saved_cursors(thread)[depth]
      unsafe thread.pointee.limit = tr_thread_saved_limits(thread)[depth]
      unsafe thread.pointee.slots = tr_thread_saved_slots(thread)[depth]
      unsafe thread.pointee.depth = UInt32(depth - 1)
    } else if attention & TR_ATTENTION_SEALED != 0 {
      unsafe moveFromSealed(thread, ring, start)
    } else {
      unsafe tr_give_back(thread, ring)
    }
  }

  /// Takes the mark of a call that learns its site from its ring, and returns what else the ring wants.
  private static func forgetLearning(_ ring: UnsafeMutablePointer<TRRing>) -> UInt32 {
    unsafe tr_and32(tr_ring_attention(ring), ~TR_ATTENTION_LEARNING) & ~TR_ATTENTION_LEARNING
  }

  /// Whether the record that this thread has just committed to a sealed ring lies before the ring's end, so that the closer delivers it. Where the
  /// closer has not decided yet, the end is set here, behind the record. Nobody waits for anybody: the closer's thread may be the one that is
  /// interrupted by this call.
  private static func wasInTime(_ ring: UnsafeMutablePointer<TRRing>) -> Bool {
    let head = unsafe ring.pointee.head
    if unsafe tr_exchange_if64(&ring.pointee.sealed_head, 0, head | 1) { return true }
    return unsafe head <= tr_load64(&ring.pointee.sealed_head) & ~7
  }

  /// The ring was closed (`LogSystem.stop()`, or the exit handler) before or while this record was committed. When the closer does not deliver it, the
  /// record is written again into a ring of the next file. The thread never uses the closed ring again.
  private static func moveFromSealed(
    _ thread: UnsafeMutablePointer<TRThread>, _ old: UnsafeMutablePointer<TRRing>, _ start: UnsafeMutablePointer<UInt8>
  ) {
    let isDelivered = unsafe wasInTime(old)
    unsafe thread.pointee = TRThread()
    if isDelivered { return }
    let record = unsafe TRRecord(at: start)
    guard let level = Level(rawValue: record.level), let ring = unsafe takeSlowly(thread, nil, level) else { return }
    let target = unsafe tr_start(ring)
    let size = min(Int(record.size), Int(unsafe ring.pointee.max_record))
    unsafe target.update(from: start, count: size)
    let attention = unsafe tr_commit(
      ring, target, target + size, record.site, record.level, record.flags, record.label)
    if attention == 0 {
      unsafe tr_give_back(thread, ring)
    } else {
      unsafe finishAttended(thread, ring, target, attention)
    }
  }

  /// A record larger than a record may be: what fits is kept, and marked.
  @usableFromInline
  @inline(never)
  static func finishFull(
    _ thread: UnsafeMutablePointer<TRThread>, _ ring: UnsafeMutablePointer<TRRing>,
    _ start: UnsafeMutablePointer<UInt8>, _ place: RecordPlace, _ level: Level, _ flags: UInt8, _ label: UInt16,
    _ site: UInt16
  ) {
    unsafe _ = tr_add64(&ring.pointee.truncated, 1)
    // A site is not known by half of its pieces.
    unsafe _ = forgetLearning(ring)
    let attention = unsafe tr_commit(
      ring, start, max(place.cursor, start + RecordLayout.headerSize), site, level.rawValue,
      flags | RecordFlags.truncated, label)
    if attention == 0 {
      unsafe tr_give_back(thread, ring)
    } else {
      unsafe finishAttended(thread, ring, start, attention)
    }
  }

  /// The label table had no room: the record carries its label. Returns where the text begins.
  @usableFromInline
  @inline(never)
  static func writeLabel(
    _ start: UnsafeMutablePointer<UInt8>, _ limit: UnsafeMutablePointer<UInt8>, _ name: LogKey
  ) -> UnsafeMutablePointer<UInt8> {
    let label = unsafe UnsafeBufferPointer(start: name.start, count: min(name.count, 1024))
    let place = unsafe RecordPlace(cursor: start, limit: limit).inFull(SegmentTag.label, "", label)
    return unsafe place.isFull ? start : place.cursor
  }

  /// Frees the rings of a thread that ends; the next new thread takes them over. A destructor that logs after this gets a ring again.
  private static func threadEnded(_ state: UnsafeMutableRawPointer?) {
    guard let thread = unsafe state?.assumingMemoryBound(to: TRThread.self) else { return }
    let isCurrent = unsafe thread.pointee.generation == tr_producer()?.pointee.generation
    let rings = unsafe (0..<Int(TR_MAX_DEPTH)).compactMap { unsafe tr_thread_rings(thread)[$0] }
    unsafe thread.pointee = TRThread()
    guard isCurrent else { return }
    for index in unsafe rings.indices { unsafe tr_store32(&rings[index].pointee.owner, TR_OWNER_FREE) }
  }
}

extension TRRecord {
  /// The fixed part of the record that begins at `start`.
  init(at start: UnsafePointer<UInt8>) { self = unsafe UnsafeRawPointer(start).loadUnaligned(as: TRRecord.self) }
}
