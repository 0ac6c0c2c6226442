import Glibc

/// The `Date` field (RFC 9110, 5.6.7), formatted at most once a second.
struct HTTPDate {
  private var second: time_t = -1
  private var text = ""

  /// The current date. Cost: a clock read; an allocation when the second has changed.
  mutating func now() -> String {
    let current = time(nil)
    if current != second {
      second = current
      text = Self.format(current)
    }
    return text
  }

  /// For example `Sun, 06 Nov 1994 08:49:37 GMT`. Years 1970 to 9999.
  static func format(_ seconds: time_t) -> String {
    let days = seconds / 86_400
    let rest = seconds % 86_400
    let date = civil(days)
    let weekday = weekdays[(days + 4) % 7]
    let clock = [rest / 3600, rest / 60 % 60, rest % 60].map(twoDigits).joined(separator: ":")
    return "\(weekday), \(twoDigits(date.day)) \(months[date.month - 1]) \(date.year) \(clock) GMT"
  }

  /// The Gregorian date, after Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is a
  /// year's last.
  private static func civil(_ daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
    let days = daysSince1970 + 719_468
    let era = days / 146_097
    let dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
