/// What a rate limit remembers, in one word: when its window began, in milliseconds since the machine started, and how many records it has let through since.
///
/// A window begins with the first record after the last one's end, so that a burst is whole in one window. Pure: time comes in.
struct RateWindow: Equatable {
  /// Milliseconds << 20 | records.
  let rawValue: UInt64

  /// The most that one window can count.
  static let most = 1 << 20 - 1

  /// Before the first record.
  static let unused = RateWindow(rawValue: 0)

  init(rawValue: UInt64) { self.rawValue = rawValue }

  private init(beginning: UInt64, records: UInt64) { rawValue = beginning << 20 | records }

  /// The window after one more record, and whether the record may be written. Nothing changes for one that may not.
  func admitting(atMost limit: Int, per period: UInt64, now: UInt64) -> (after: RateWindow, passes: Bool) {
    let (beginning, records) = (rawValue >> 20, rawValue & UInt64(Self.most))
    // A clock that goes back does not lock anybody out.
    if self == .unused || now &- beginning >= period { return (RateWindow(beginning: now, records: 1), limit > 0) }
    if records < UInt64(clamping: limit) { return (RateWindow(beginning: beginning, records: records + 1), true) }
    return (self, false)
  }
}
