import CTreeRing

/// Calls of one cause that left no record, and of which the stream has not been told: those since the last notice.
struct DropStretch {
  /// All there ever were, by level; and those that had been told before.
  private(set) var counts: [UInt64]
  private let told: [UInt64]
  /// When the first and the last of the stretch was; in ticks as it is read, then nanoseconds since 1970.
  var times: ClosedRange<UInt64>

  var total: UInt64 { counts.reduce(0, &+) }
  /// How many the notice tells of.
  var count: UInt64 { total &- told.reduce(0, &+) }
  var byLevel: [(Level, UInt64)] { Drain.byLevel(zip(counts, told).map { $0 &- $1 }) }

  /// Both as one: `later` begins where this one ends.
  func followed(by later: DropStretch) -> DropStretch {
    var whole = self
    whole.counts = later.counts
    whole.times = RingLoss.hull(times, later.times)
    return whole
  }

  /// Reads the stretch, and marks its end for whoever drops next (`TRDropMark`); nil when there is none, or the file is gone. Nothing is told by that: as long as
  /// `told` stays, the next look finds this stretch again, and what came since.
  ///
  /// A call that is counted between the look and the mark belongs to no stretch, so there is another look. A producer that drops all the time is not waited for: then
  /// the time of the next first one is a little late.
  init?(
    _ counts: UnsafeMutablePointer<UInt64>, _ times: UnsafeMutablePointer<TRDropTimes>,
    _ mark: UnsafeMutablePointer<TRDropMark>, told: [UInt64]
  ) {
    let before = told.reduce(0, &+)
    var latest = told
    var (noted, marked) = (TRDropTimes(), TRDropMark())
    for look in 0..<Self.mostLooks {
      var now = told
      guard unsafe tr_guarded_copy(&now, counts, now.count * 8) else { return nil }
      if now == latest { break }
      latest = now
      if look == Self.mostLooks - 1 { break }
      guard unsafe tr_guarded_copy(&noted, times, MemoryLayout<TRDropTimes>.size),
        unsafe tr_guarded_copy(&marked, mark, MemoryLayout<TRDropMark>.size)
      else { return nil }
      let total = latest.reduce(0, &+)
      let begins = [(marked.begin, marked.first), (noted.begin, noted.first)].filter {
        $0.1 != 0 && before..<max(before, total) ~= $0.0
      }
      marked.begin = begins.map(\.0).min() ?? before
      marked.first = begins.first { $0.0 == marked.begin }?.1 ?? noted.last
      unsafe Self.store(marked, seen: total, to: mark)
      tr_fence()
    }
    guard latest != told else { return nil }
    self.counts = latest
    self.told = told
    self.times = min(marked.first, noted.last)...max(marked.first, noted.last)
  }

  private static let mostLooks = 32

  /// The beginning stands before anybody can begin another one.
  private static func store(_ kept: TRDropMark, seen: UInt64, to mark: UnsafeMutablePointer<TRDropMark>) {
    guard let first = unsafe LocalRings.address(mark, \.first), let begin = unsafe LocalRings.address(mark, \.begin),
      let place = unsafe LocalRings.address(mark, \.seen)
    else { return }
    unsafe _ = tr_guarded_store64(first, kept.first)
    unsafe _ = tr_guarded_store64(begin, kept.begin)
    unsafe _ = tr_guarded_store64(place, seen)
  }
}
