import Glibc

/// RFC 3164's `Jan  2 03:04:05`, in the machine's own time zone, as its section 4.1.2 asks. Kept while the second lasts.
final class LocalTimestamp {
  private var second = UInt64.max
  private var text = InlineArray<15, UInt8>(repeating: UInt8(ascii: " "))
  private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

  func append(_ nanoseconds: UInt64, to output: OutputBuffer) {
    let now = nanoseconds / 1_000_000_000
    if now != second { render(now) }
    unsafe text.span.withUnsafeBufferPointer { unsafe output.append($0) }
  }

  private func render(_ second: UInt64) {
    self.second = second
    var seconds = time_t(truncatingIfNeeded: second)
    var parts = unsafe tm()
    guard unsafe localtime_r(&seconds, &parts) != nil, unsafe 0...11 ~= parts.tm_mon else { return }
    let month = unsafe Self.months.utf8Start + 3 * Int(parts.tm_mon)
    for index in 0..<3 { text[index] = unsafe month[index] }
    unsafe put(parts.tm_mday, at: 4)
    if text[4] == UInt8(ascii: "0") { text[4] = UInt8(ascii: " ") }
    unsafe put(parts.tm_hour, at: 7)
    unsafe put(parts.tm_min, at: 10)
    unsafe put(parts.tm_sec, at: 13)
    text[9] = UInt8(ascii: ":")
    text[12] = UInt8(ascii: ":")
  }

  private func put(_ number: Int32, at index: Int) {
    text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10 % 10)
    text[index + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10)
  }
}
