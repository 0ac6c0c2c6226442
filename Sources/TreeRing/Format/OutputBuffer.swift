/// A growing run of bytes that a formatter writes into and a sink writes out. One thread at a time.
///
/// Premise of every unsafe line: `reserve` has made room before a store, and `count <= capacity`.
@safe
package final class OutputBuffer {
  private var start: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  package private(set) var count = 0

  package init(capacity: Int = 4096) {
    self.capacity = capacity
    unsafe start = .allocate(capacity: capacity)
  }

  deinit { unsafe start.deallocate() }

  /// What has been written, valid until the next change.
  package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start, count: count) }

  /// Forgets the content and keeps the memory.
  package func removeAll() { count = 0 }

  /// Forgets what was written after `count`.
  package func truncate(to count: Int) { self.count = min(self.count, count) }

  /// Room for `more` bytes, to be followed by `advance`.
  @inline(__always)
  func reserve(_ more: Int) -> UnsafeMutablePointer<UInt8> {
    if capacity - count < more { grow(more) }
    return unsafe start + count
  }

  @inline(__always)
  func advance(_ written: Int) { count += written }

  @inline(never)
  private func grow(_ more: Int) {
    capacity = max(capacity * 2, count + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    unsafe larger.update(from: start, count: count)
    unsafe start.deallocate()
    unsafe start = larger
  }

  @inline(__always)
  func append(_ byte: UInt8) {
    unsafe reserve(1).pointee = byte
    advance(1)
  }

  @inline(__always)
  func append(_ text: StaticString) {
    unsafe reserve(text.utf8CodeUnitCount).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
    advance(text.utf8CodeUnitCount)
  }

  package func append(_ text: String) {
    var text = text
    text.withUTF8 { unsafe append($0) }
  }

  @inline(__always)
  func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let from = bytes.baseAddress else { return }
    unsafe reserve(bytes.count).update(from: from, count: bytes.count)
    advance(bytes.count)
  }

  /// A decimal number.
  func append(_ number: UInt64) {
    let end = unsafe reserve(20) + 20
    var at = unsafe end
    var rest = number
    while rest >= 100 {
      let pair = Int(rest % 100)
      rest /= 100
      unsafe at -= 2
      unsafe DecimalPairs.store(pair, at)
    }
    if rest >= 10 {
      unsafe at -= 2
      unsafe DecimalPairs.store(Int(rest), at)
    } else {
      unsafe at -= 1
      unsafe at.pointee = UInt8(ascii: "0") + UInt8(rest)
    }
    let digits = unsafe end - at
    unsafe (start + count).update(from: at, count: digits)
    advance(digits)
  }

  /// A decimal number with its sign.
  func append(_ number: Int64) {
    if number < 0 { append(UInt8(ascii: "-")) }
    append(number.magnitude)
  }

  /// Exactly `width` decimal digits of `number`, with leading zeros.
  func append(_ number: UInt64, width: Int) {
    let at = unsafe reserve(width)
    var rest = number
    for index in stride(from: width - 1, through: 0, by: -1) {
      unsafe at[index] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
    advance(width)
  }

  /// The shortest decimal spelling that reads back as the same number; `nan` and infinities are left to the caller.
  func append(_ number: Double) {
    var text = number.description
    text.withUTF8 { unsafe append($0) }
  }
}

/// `00` to `99`, so that a number is written two digits a division.
enum DecimalPairs {
  private static let digits: StaticString = """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """

  @inline(__always)
  static func store(_ pair: Int, _ at: UnsafeMutablePointer<UInt8>) {
    unsafe at.update(from: digits.utf8Start + 2 * pair, count: 2)
  }
}
