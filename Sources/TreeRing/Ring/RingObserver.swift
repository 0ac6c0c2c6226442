import CTreeRing
import Synchronization

/// Looks on while a process logs: reads the records of its rings without taking them, locking anything or being noticed. One thread at a time.
///
/// ## What is there to be read
///
/// A consumer moves the tail, often within a millisecond, but released bytes stay as they are until the producer comes round again. So an observer reads behind the tail, too.
/// It works like a sequence lock:
///
/// 1. read the head, copy everything from its own position to there,
/// 2. read head and tail once more; what may have been overwritten *by then* is not looked at.
///
/// A producer writes into the largest record's length behind the head, and never into what its consumer has not released. So intact is what lies behind the tail, or less than the
/// capacity before the head, minus the length of two records: one for the call under way, and one because another processor may see the bytes of a record before the head that precedes it.
///
/// ## Being overtaken
///
/// A producer that writes more than a ring between two looks has overwritten records. The observer finds its place again (``RecordChain``), and tells how many it has missed, by their
/// numbers. It never shows a record that it cannot vouch for.
///
/// The file may be hostile: nothing in it is believed, as in ``RingAttachment``.
@safe
package final class RingObserver {
  /// The ring file.
  package let path: String
  /// The process's program, as it calls itself: any text.
  package let program: String
  package let pid: UInt32
  /// When it began to log, nanoseconds since 1970.
  package let began: UInt64
  /// The process's stream: the part of `ring` before the dot.
  package let streamID: String
  private let source: RingAttachment
  private var clock: TickClock
  private let sharesClock: Bool
  private var watches: [Watch] = unsafe []
  private let templates = RecordTemplates()
  private let start: Start
  private var hasLooked = false

  /// Where to begin.
  package enum Start: Sendable {
    /// With whatever can still be read. What cannot is of no concern.
    case backlog
    /// With the first record of the process: what cannot be read any more was missed.
    case beginning
    /// With what comes from now on.
    case now
  }

  /// How the process stands.
  package enum Standing: Sendable, Equatable {
    /// It may log more.
    case running
    /// It has closed its stream, in order.
    case closed
    /// It is gone without having done so; so many records wait for recovery.
    case died(unread: UInt64)
    /// The file has been cut, or is unreadable.
    case unreadable
  }

  /// What is seen.
  @unsafe
  enum Sight {
    case record(RecordView, RecordContext)
    /// So many records of a ring were overwritten before they could be read.
    case missed(UInt64, ring: String)
    /// So many calls left no record, because a ring was full for instance.
    case dropped(UInt64)
    /// Bytes that are no records.
    case unreadable(bytes: Int, ring: String)
  }

  /// The place in one ring.
  @unsafe
  private struct Watch {
    /// Bytes since the ring began.
    var position: UInt64
    /// Number of the record that begins there; nil: whatever it says.
    var next: UInt64?
    /// Whether records before the first one seen count as missed.
    var tellsMissed: Bool
    var dropped: UInt64 = 0
    var context: RecordContext
  }

  /// Most bytes of a ring in which a lost place is looked for.
  private static let longestSearch: UInt64 = 4 << 20

  /// Attaches without a lock. Blocking; a few system calls.
  package init(path: String, from start: Start) throws(RingAttachment.Refusal) {
    self.path = path
    self.start = start
    source = try RingAttachment(path: path, consumes: false)
    guard var header = source.readHeader() else { throw .unusable("\(path) was cut short while it was read") }
    program = unsafe text(tr_header_program(&header), limit: 128)
    pid = header.pid
    began = header.clock_realtime
    streamID = unsafe hexadecimal(UnsafeBufferPointer(start: tr_header_stream_id(&header), count: 16))
    TickClock.choose()
    sharesClock = source.isSameBoot && header.clock_kind == tr_get_clock_kind()
    clock = TickClock(
      start: .init(ticks: header.clock_ticks, nanoseconds: header.clock_realtime), period: header.clock_period)
  }

  /// A moment for ``look(until:_:)``.
  package static func moment() -> UInt64 {
    TickClock.choose()
    return tr_ticks()
  }

  /// Shows everything new, in the order of time, up to a moment that several observers share, so that their records can be merged: what was committed before it comes now.
  ///
  /// Views are valid only while they are shown.
  func look(until moment: UInt64, _ show: (Sight) -> Void) -> Standing {
    // Asked before: what a process that is gone by now has committed, this look sees.
    let isGone = !source.isProducerAlive
    let isSealed = source.isSealed
    if sharesClock { clock.resynchronise(.now()) }
    var merge = unsafe TimeMerge(spans(show))
    unsafe showRecords(&merge, until: isGone || isSealed || !sharesClock ? .max : moment, show)
    for index in unsafe merge.spans.indices {
      let span = unsafe merge.spans[index]
      unsafe watches[span.index].position = span.position
      unsafe watches[span.index].next = span.consumed
    }
    hasLooked = true
    guard source.readHeader() != nil else { return .unreadable }
    if isSealed { return .closed }
    return isGone ? .died(unread: unread) : .running
  }

  private var unread: UInt64 {
    (0..<source.ringCount).reduce(0) { sum, index in
      guard let ring = source.readRing(index) else { return sum }
      return sum &+ ring.sequence &- min(ring.consumed, ring.sequence)
    }
  }

  private func showRecords(_ merge: inout TimeMerge, until bound: UInt64, _ show: (Sight) -> Void) {
    for index in unsafe merge.spans.indices where unsafe merge.spans[index].isUnreadable {
      unsafe giveUp(index, &merge, show)
    }
    while let (index, until) = unsafe merge.oldest(upTo: bound) {
      unsafe merge.take(from: index, upTo: until) { record, ring in
        unsafe templates.complete(&record, from: source)
        var context = unsafe watches[ring].context
        unsafe context.time = max(unsafe clock.nanoseconds(record.ticks), context.time)
        unsafe watches[ring].context.time = unsafe context.time
        unsafe context.label = source.label(record.label)
        unsafe show(.record(record, context))
        return true
      }
      if unsafe merge.spans[index].isUnreadable { unsafe giveUp(index, &merge, show) }
    }
  }

  private func giveUp(_ index: Int, _ merge: inout TimeMerge, _ show: (Sight) -> Void) {
    let ring = unsafe merge.spans[index].index
    let bytes = unsafe merge.abandon(index)
    unsafe show(.unreadable(bytes: bytes, ring: watches[ring].context.ring.description))
  }

  // MARK: copying

  private func spans(_ show: (Sight) -> Void) -> [RingSpan] {
    var spans = unsafe [RingSpan]()
    for index in 0..<source.ringCount {
      guard var ring = source.readRing(index), ring.mask == UInt64(source.capacity - 1) else { continue }
      watch(index, &ring)
      unsafe tellDrops(index, &ring, show)
      if let span = unsafe span(index, ring, show) { unsafe spans.append(span) }
    }
    return unsafe spans
  }

  /// Begins to watch a ring that is new.
  private func watch(_ index: Int, _ ring: inout TRRing) {
    for new in unsafe watches.count..<max(index + 1, watches.count) {
      let context = unsafe RecordContext(time: 0, pid: pid, ring: RingName(stream: streamID, index: new), label: nil)
      unsafe watches.append(
        Watch(position: 0, next: 0, tellsMissed: start == .beginning || hasLooked, context: context))
      guard new == index, start != .beginning, !hasLooked else { continue }
      unsafe watches[index].dropped = Self.dropped(&ring)
      guard start == .now else { continue }
      unsafe watches[index].position = Drain.end(of: ring)
      unsafe watches[index].next = nil
    }
  }

  private func tellDrops(_ index: Int, _ ring: inout TRRing, _ show: (Sight) -> Void) {
    let dropped = Self.dropped(&ring)
    let new = unsafe dropped &- watches[index].dropped
    unsafe watches[index].dropped = dropped
    // A number that went down is nobody's count.
    if new > 0, new < 1 << 63 { unsafe show(.dropped(new)) }
  }

  private static func dropped(_ ring: inout TRRing) -> UInt64 {
    let cells = unsafe tr_ring_dropped(&ring)
    return unsafe UnsafeBufferPointer(start: cells, count: Int(TR_CAUSES * TR_LEVELS)).reduce(0, &+)
  }

  /// What is new in a ring, copied, and checked to be intact.
  private func span(_ index: Int, _ ring: TRRing, _ show: (Sight) -> Void) -> RingSpan? {
    let (position, end) = (unsafe watches[index].position, Drain.end(of: ring))
    guard end > position else { return nil }
    let from = max(position, intact(ring))
    guard from < end, let bytes = unsafe source.records(index, from: from, to: end) else {
      return unsafe losePlace(index, end)
    }
    // The copy comes before the second look.
    atomicMemoryFence(ordering: .acquiring)
    guard let now = source.readRing(index) else { return nil }
    let cut = max(from, intact(now))
    guard cut < end else { return unsafe losePlace(index, end) }
    let isWhole = cut == position
    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[Int(cut - from)...])
    return unsafe isWhole ? span(index, rest, show) : search(index, at: cut, rest, ring, show)
  }

  /// The position from which on nobody writes, or may write soon.
  private func intact(_ ring: TRRing) -> UInt64 {
    let capacity = UInt64(source.capacity)
    let claimed = ring.head &+ 2 * largestRecord
    let behind = claimed > capacity ? (claimed - capacity) & ~7 : 0
    return ring.tail <= ring.head ? min(behind, ring.tail & ~7) : behind
  }

  /// Bytes of the largest record, whatever the ring says.
  private var largestRecord: UInt64 { UInt64(min(source.capacity / 8, RecordLayout.largestRecord + 8)) }

  /// A stretch that begins where the last one ended.
  private func span(_ index: Int, _ bytes: UnsafeRawBufferPointer, _ show: (Sight) -> Void) -> RingSpan? {
    let watch = unsafe watches[index]
    guard let first = unsafe RecordView(bytes) else {
      return unsafe RingSpan(index: index, position: watch.position, consumed: watch.next ?? 0, bytes: bytes)
    }
    let number = unsafe first.sequence
    unsafe tellMissed(index, before: number, show)
    return unsafe RingSpan(index: index, position: watch.position, consumed: number, bytes: bytes)
  }

  /// A stretch that begins anywhere.
  private func search(
    _ index: Int, at cut: UInt64, _ bytes: UnsafeRawBufferPointer, _ ring: TRRing, _ show: (Sight) -> Void
  ) -> RingSpan? {
    let skipped = UInt64(bytes.count) > Self.longestSearch ? bytes.count - Int(Self.longestSearch) : 0
    let searched = unsafe UnsafeRawBufferPointer(rebasing: bytes[skipped...])
    // The number was read after the head, so it is that of the record behind the end, or of a later one.
    let most = UInt64(source.capacity / RecordLayout.headerSize)
    guard
      let chain = unsafe RecordChain(
        in: searched, largest: Int(largestRecord), sequences: ring.sequence &- min(most, ring.sequence)...ring.sequence)
    else { return unsafe losePlace(index, cut &+ UInt64(bytes.count)) }
    unsafe tellMissed(index, before: chain.sequence, show)
    return unsafe RingSpan(
      index: index, position: cut + UInt64(skipped + chain.offset), consumed: chain.sequence,
      bytes: UnsafeRawBufferPointer(rebasing: searched[chain.offset...]))
  }

  /// Nothing can be made of what is there: goes on behind it. The next record's number tells how many were missed.
  private func losePlace(_ index: Int, _ end: UInt64) -> RingSpan? {
    unsafe watches[index].position = end
    return nil
  }

  private func tellMissed(_ index: Int, before number: UInt64, _ show: (Sight) -> Void) {
    let watch = unsafe watches[index]
    unsafe watches[index].tellsMissed = true
    guard unsafe watch.tellsMissed, let expected = unsafe watch.next, number > expected else { return }
    unsafe show(.missed(number - expected, ring: watch.context.ring.description))
  }
}
