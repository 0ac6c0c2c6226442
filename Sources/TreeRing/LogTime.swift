/// A moment, as a value of a record: RFC 3339 in UTC with nanoseconds, `2026-01-02T03:04:05.678901234Z`.
///
/// Foundation's `Date` becomes one by `import TreeRingFoundation`.
public struct LogTime: Sendable, Hashable {
  /// Since 1970-01-01 00:00 UTC. The years 1677 to 2262 have room.
  public var nanosecondsSince1970: Int64

  /// The moment so many nanoseconds after 1970-01-01 00:00 UTC.
  public init(nanosecondsSince1970: Int64) { self.nanosecondsSince1970 = nanosecondsSince1970 }
}

extension LogTime: LogValue {
  /// Writes the 30 characters. No allocation.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    writer.write(utf8: text.span, key: key, fieldOnly: fieldOnly)
  }

  private static let day: Int64 = 86_400_000_000_000

  private var text: InlineArray<30, UInt8> {
    let days = nanosecondsSince1970 / Self.day - (nanosecondsSince1970 % Self.day < 0 ? 1 : 0)
    let time = UInt64(nanosecondsSince1970 &- days &* Self.day)
    // An era of 400 years more: days before 1970 have positive numbers, too.
    let date = Timestamp.date(daysSince1970: UInt64(days + 146_097))
    var text = InlineArray<30, UInt8>(repeating: UInt8(ascii: "Z"))
    var end = 0
    func put(_ number: UInt64, _ width: Int, _ separator: Unicode.Scalar) {
      var rest = number
      for index in (end..<end + width).reversed() {
        text[index] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
      }
      text[end + width] = UInt8(ascii: separator)
      end += width + 1
    }
    put(date.year - 400, 4, "-")
    put(date.month, 2, "-")
    put(date.day, 2, "T")
    put(time / 3_600_000_000_000, 2, ":")
    put(time / 60_000_000_000 % 60, 2, ":")
    put(time / 1_000_000_000 % 60, 2, ".")
    put(time % 1_000_000_000, 9, "Z")
    return text
  }
}

extension RecordWriter {
  /// Writes text that is at hand as UTF-8, for types that spell themselves without making a string. No allocation.
  public mutating func write(utf8: Span<UInt8>, key: LogKey, fieldOnly: Bool) {
    unsafe utf8.withUnsafeBufferPointer { unsafe bytes(Self.tag(SegmentTag.string, fieldOnly), key, $0) }
  }
}
