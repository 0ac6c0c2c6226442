import CTreeRing

/// A growing run of bytes that a formatter writes into and a sink writes out. One thread at a time.
///
/// Premise of every unsafe line: `reserve` has made room before a store, and `used <= capacity`. The stored properties are private and only ever read or
/// assigned whole, which lets the compiler drop the run-time checks for exclusive access: they cost more than the copies do.
@safe
package final class OutputBuffer {
  private var start: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var used = 0

  package init(capacity: Int = 4096) {
    self.capacity = capacity
    unsafe start = .allocate(capacity: capacity)
  }

  deinit { unsafe start.deallocate() }

  /// Bytes written.
  package var count: Int { used }

  /// What has been written, valid until the next change.
  package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start, count: used) }

  /// Forgets the content and keeps the memory.
  package func removeAll() { used = 0 }

  /// Forgets what was written after `count`.
  package func truncate(to count: Int) { used = min(used, count) }

  /// Room for `more` bytes, to be followed by `advance`.
  @inline(__always)
  func reserve(_ more: Int) -> UnsafeMutablePointer<UInt8> {
    if capacity &- used < more { grow(more) }
    return unsafe start + used
  }

  /// Bytes that fit without asking for more.
  var room: Int { capacity &- used }

  @inline(__always)
  func advance(_ written: Int) { used = used &+ written }

  @inline(never)
  private func grow(_ more: Int) {
    capacity = max(capacity * 2, used + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    unsafe larger.update(from: start, count: used)
    unsafe start.deallocate()
    unsafe start = larger
  }

  @inline(__always)
  func append(_ byte: UInt8) {
    unsafe reserve(1).pointee = byte
    advance(1)
  }

  /// A piece of the format: a literal's length is a constant, so the copy is a few moves.
  @inline(__always)
  func append(_ text: StaticString) {
    unsafe tr_copy(reserve(text.utf8CodeUnitCount), text.utf8Start, text.utf8CodeUnitCount)
    advance(text.utf8CodeUnitCount)
  }

  /// Text that is made at run time.
  package func append(string text: String) {
    let copied: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe append($0) }
    if copied == nil { for byte in text.utf8 { append(byte) } }
  }

  @inline(__always)
  func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let from = bytes.baseAddress else { return }
    unsafe tr_copy_short(reserve(bytes.count), from, bytes.count)
    advance(bytes.count)
  }

  /// What stands in another buffer from `begin` on.
  @inline(__always)
  func append(_ other: OutputBuffer, from begin: Int) {
    let count = other.used &- begin
    unsafe tr_copy_short(reserve(count), other.start + begin, count)
    advance(count)
  }

  /// Bytes that stand here already, once more.
  func repeatBytes(_ range: Range<Int>) {
    let to = unsafe reserve(range.count)
    unsafe to.update(from: start + range.lowerBound, count: range.count)
    advance(range.count)
  }

  /// A decimal number.
  func append(_ number: UInt64) {
    let digits = Decimal.digits(of: number)
    unsafe Decimal.store(number, width: digits, at: reserve(digits))
    advance(digits)
  }

  /// A decimal number with its sign.
  func append(_ number: Int64) {
    if number < 0 { append(UInt8(ascii: "-")) }
    append(number.magnitude)
  }

  /// Exactly `width` decimal digits of `number`, with leading zeros.
  func append(_ number: UInt64, width: Int) {
    unsafe Decimal.store(number, width: width, at: reserve(width))
    advance(width)
  }

  /// The shortest decimal spelling that reads back as the same number; `nan` and infinities are left to the caller.
  func append(_ number: Double) {
    guard let (digits, decimals) = Decimal.short(number.magnitude) else { return append(string: number.description) }
    if number.sign == .minus { append(UInt8(ascii: "-")) }
    append(digits / Decimal.powers[decimals])
    append(UInt8(ascii: "."))
    append(digits % Decimal.powers[decimals], width: max(decimals, 1))
  }
}

/// Decimal digits, two a division.
enum Decimal {
  private static let pairs: StaticString = """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """

  /// 10⁰ to 10⁶.
  static let powers: InlineArray<7, UInt64> = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
  /// 10⁰ to 10¹⁹.
  private static let tens: InlineArray<20, UInt64> = [
    1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
    100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
  ]
  private static let scales: InlineArray<7, Double> = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

  /// `number` as `digits / 10^decimals` with at most 15 digits and 6 decimals, when it has such a spelling, as the numbers that people write have. Nil:
  /// find the spelling the long way.
  ///
  /// Two numbers of at most 15 decimal digits are never the same double, so a spelling of at most 15 digits that reads back as `number` is the
  /// shortest, and with the fewest decimals it has no zero to spare. It reads back because a division of two whole numbers below 2^53 is rounded once,
  /// as reading the decimal number is.
  static func short(_ number: Double) -> (digits: UInt64, decimals: Int)? {
    guard number >= 0.001, number < 1e9 else { return nil }
    for decimals in 0...6 {
      let digits = Int64(number * scales[decimals] + 0.5)
      if Double(digits) / scales[decimals] == number { return (UInt64(bitPattern: digits), decimals) }
    }
    return nil
  }

  /// 10 to the power of at most 6.
  @inline(__always)
  static func power(_ exponent: Int) -> UInt64 { powers[exponent] }

  /// The eight digits of a number below 10⁸, the first in the lowest byte: divided by 10,000, 100 and 10, all parts at once, by multiplications whose rounding is
  /// exact for as large as the parts are (10486 / 2²⁰ is a little more than 1 / 100, 103 / 2¹⁰ than 1 / 10).
  @inline(__always)
  static func eight(_ number: UInt64) -> UInt64 {
    let (high, low) = number.quotientAndRemainder(dividingBy: 10_000)
    let halves = high | low &<< 32
    let hundreds = (halves &* 10486) &>> 20 & 0x7F_0000_007F
    let pairs = hundreds | (halves &- 100 &* hundreds) &<< 16
    let tens = (pairs &* 103) &>> 10 & 0x000F_000F_000F_000F
    return (tens | (pairs &- 10 &* tens) &<< 8) | 0x3030_3030_3030_3030
  }

  /// How many digits `number` has.
  @inline(__always)
  static func digits(of number: UInt64) -> Int {
    // 1233 / 4096 is a little more than the logarithm of 2 to the base 10: at most one too few.
    let number = number | 1
    let bits = 64 &- number.leadingZeroBitCount
    let atLeast = (bits &* 1233) >> 12
    return atLeast &+ (number >= tens[atLeast] ? 1 : 0)
  }

  /// Stores the last `width` digits of `number`, with leading zeros. Premise: there is room for `width` bytes.
  @inline(__always)
  static func store(_ number: UInt64, width: Int, at start: UnsafeMutablePointer<UInt8>) {
    var rest = number
    var left = width
    while left >= 2 {
      let pair = Int(truncatingIfNeeded: rest % 100)
      rest /= 100
      left &-= 2
      unsafe tr_copy(start + left, pairs.utf8Start + 2 &* pair, 2)
    }
    if left == 1 { unsafe start.pointee = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10) }
  }
}
