public import FoundationEssentials
public import TreeRing

extension Date: LogValue {
  /// Writes the moment in UTC, `2026-01-02T03:04:05.678901234Z`; see `LogTime`. What lies before 1677 or after 2262 is clamped. No allocation.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    LogTime(self).write(to: &writer, key: key, fieldOnly: fieldOnly)
  }
}

extension LogTime {
  /// The same moment, to the precision of a `Date`: some 100 ns today.
  public init(_ date: Date) {
    let seconds = date.timeIntervalSinceReferenceDate
    // Whole seconds and their fraction apart, because a Double of nanoseconds since 1970 has not the digits.
    let whole = seconds.rounded(.down)
    guard let since1970 = Int64(exactly: whole)?.addingReportingOverflow(978_307_200), !since1970.overflow else {
      self.init(nanosecondsSince1970: seconds < 0 ? .min : .max)
      return
    }
    let nanoseconds = Int64(((seconds - whole) * 1_000_000_000).rounded())
    let (scaled, isTooLarge) = since1970.partialValue.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflows) = scaled.addingReportingOverflow(nanoseconds)
    self.init(nanosecondsSince1970: isTooLarge || overflows ? (seconds < 0 ? .min : .max) : sum)
  }
}
