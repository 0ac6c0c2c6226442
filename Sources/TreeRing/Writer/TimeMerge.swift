/// Puts the records of several rings into the order of their time.
///
/// Exact within a ring. Across rings, a record that was committed before the batch was taken never comes after a later one of the same batch; one whose call was
/// still under way then comes with the next batch, however late.
@unsafe
struct TimeMerge {
  private(set) var spans: [RingSpan]

  init(_ spans: [RingSpan]) { unsafe self.spans = spans }

  /// The index in `spans` of the ring whose next record is the oldest, and the time up to which its records are older than those of the others;
  /// nil when there is no record up to `bound`. Cost: a look at every ring, so records are taken from one ring as long as it is the oldest.
  func oldest(upTo bound: UInt64) -> (index: Int, until: UInt64)? {
    var oldest: Int?
    var ticks = UInt64.max
    var until = bound
    for index in unsafe spans.indices {
      guard let next = unsafe spans[index].next?.ticks else {
        // Of what comes next in this ring nobody knows the time yet.
        if unsafe spans[index].isCut { return nil }
        continue
      }
      if next > bound { continue }
      if oldest == nil || next < ticks {
        if oldest != nil { until = ticks }
        oldest = index
        ticks = next
      } else {
        until = min(until, next)
      }
    }
    return oldest.map { ($0, until) }
  }

  /// Goes through the records of one ring up to a time, until `use` says enough, or bytes come that are no record.
  @inline(__always)
  mutating func take(from index: Int, upTo until: UInt64, _ use: (inout RecordView, _ ring: Int) -> Bool) {
    var span = unsafe spans[index]
    let ring = unsafe span.index
    while var record = unsafe span.next, unsafe record.ticks <= until {
      let wantsMore = unsafe use(&record, ring)
      unsafe span.advance()
      if unsafe !wantsMore || span.isUnreadable { break }
    }
    unsafe spans[index] = span
  }

  /// Goes on with a ring whose numbers have a gap.
  mutating func resume(_ index: Int) { unsafe spans[index].resume() }

  /// Gives up the rest of a ring's bytes, which make no sense. Returns how many there are.
  mutating func abandon(_ index: Int) -> Int { unsafe spans[index].abandon() }
}

/// The unread stretch of one ring, and the record at its start.
@unsafe
struct RingSpan {
  let index: Int
  /// Bytes since the ring began, where `next` lies.
  private(set) var position: UInt64
  /// Sequence number that `next` must have.
  private(set) var consumed: UInt64
  private(set) var next: RecordView?
  private var rest: UnsafeRawBufferPointer
  /// Bytes of the ring behind `rest` that were not looked at.
  private var beyond: UInt64
  private let now: UInt64
  private let bound: UInt64

  /// - Parameters:
  ///   - now: a moment after `bytes` were read. A record that claims to be of a later one would hold its ring back, and move the times of all behind it.
  ///   - bound: the latest moment that the batch holds; such a record is taken to be of it.
  init(
    index: Int, position: UInt64, consumed: UInt64, bytes: UnsafeRawBufferPointer, beyond: UInt64 = 0,
    now: UInt64 = .max, bound: UInt64 = .max
  ) {
    unsafe self.index = index
    unsafe self.position = position
    unsafe self.consumed = consumed
    unsafe self.beyond = beyond
    unsafe self.now = now
    unsafe self.bound = min(now, bound)
    unsafe rest = bytes
    unsafe next = RecordView(bytes)
    unsafe mendTicks()
  }

  @inline(__always)
  private mutating func mendTicks() {
    if let ticks = unsafe next?.ticks, unsafe ticks > now { unsafe next?.ticks = bound }
  }

  /// Whether there are bytes that are no record, or not the one that must come next.
  @inline(__always)
  var isUnreadable: Bool {
    guard let next = unsafe next else { return unsafe rest.count > 0 }
    return unsafe next.sequence != consumed
  }

  /// Whether all that was looked at has been taken, and there is more.
  var isCut: Bool { unsafe beyond > 0 && rest.count == 0 }

  /// Goes on after an unreadable stretch: the next record tells its own number, and those before it are gone.
  mutating func resume() {
    if let record = unsafe next { unsafe consumed = record.sequence }
  }

  @inline(__always)
  mutating func advance() {
    guard let record = unsafe next else { return }
    // Wrapping: where a ring says it stands, nobody vouches for.
    unsafe position &+= UInt64(record.stride)
    unsafe consumed &+= 1
    // The view has seen that the record lies within the rest.
    unsafe rest = UnsafeRawBufferPointer(
      start: rest.baseAddress.map { unsafe $0 + record.stride }, count: rest.count &- record.stride)
    unsafe next = RecordView(rest)
    unsafe mendTicks()
  }

  /// Whether only the numbers before the next record are missing, as they are after a stretch that was given up.
  var hasGap: Bool { unsafe next.map { unsafe $0.sequence > consumed } ?? false }

  mutating func abandon() -> Int {
    let bytes = unsafe rest.count + Int(clamping: beyond)
    unsafe position &+= UInt64(bytes)
    unsafe beyond = 0
    unsafe rest = UnsafeRawBufferPointer(start: nil, count: 0)
    unsafe next = nil
    return bytes
  }
}
