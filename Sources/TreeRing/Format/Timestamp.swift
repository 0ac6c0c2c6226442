import CTreeRing

/// RFC 3339 in UTC: `2026-01-02T03:04:05.678901234Z`. The part before the fraction is kept while the second lasts. One thread at a time.
///
/// The stored properties are private and only ever read or assigned whole: then the compiler leaves out the run-time checks for exclusive access.
package final class Timestamp {
  /// Where the second begins whose text is kept, in nanoseconds.
  private var second: UInt64 = 0
  private var text = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
  private static let nanoseconds: UInt64 = 1_000_000_000

  init() { render(0) }

  /// Appends the time with `digits` (3, 6 or 9) digits of fraction.
  @inline(__always)
  func append(_ nanoseconds: UInt64, digits: Int, to output: OutputBuffer) {
    var line = unsafe output.cursor(32)
    let fraction = unsafe appendSecond(of: nanoseconds, to: &line)
    switch digits {
    case 3: unsafe line.append(fraction / 1_000_000, width: 3)
    case 6: unsafe line.append(fraction / 1000, width: 6)
    default: unsafe line.nanoseconds(fraction)
    }
    unsafe line.append("Z")
    unsafe output.end(line)
  }

  /// Appends the time up to the point, and returns the nanoseconds that are left.
  @inline(__always)
  func appendSecond(of nanoseconds: UInt64, to line: inout OutputCursor) -> UInt64 {
    if nanoseconds &- second >= Self.nanoseconds { render(nanoseconds / Self.nanoseconds) }
    let text = text
    unsafe text.span.withUnsafeBufferPointer { text in
      guard let start = text.baseAddress else { return }
      unsafe tr_copy(line.at, start, 20)
    }
    unsafe line.at += 20
    return nanoseconds &- second
  }

  @inline(never)
  private func render(_ second: UInt64) {
    self.second = second * Self.nanoseconds
    var text = text
    let (year, month, day) = Self.date(daysSince1970: second / 86_400)
    let time = second % 86_400
    var end = 0
    func put(_ number: UInt64, _ width: Int, _ separator: Unicode.Scalar) {
      var power: UInt64 = width == 4 ? 1000 : 10
      while power > 0 {
        text[end] = UInt8(ascii: "0") + UInt8(number / power % 10)
        power /= 10
        end += 1
      }
      text[end] = UInt8(ascii: separator)
      end += 1
    }
    put(year, 4, "-")
    put(month, 2, "-")
    put(day, 2, "T")
    put(time / 3600, 2, ":")
    put(time / 60 % 60, 2, ":")
    put(time % 60, 2, ".")
    self.text = text
  }

  /// The Gregorian date of a day, by counting in eras of 400 years that begin on the first of March, so that leap days come last
  /// (the method of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  static func date(daysSince1970 days: UInt64) -> (year: UInt64, month: UInt64, day: UInt64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    )
  }
}
