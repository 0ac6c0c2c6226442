import CTreeRing

/// A place in an output where a line comes to be, kept in a register: a line whose length has a bound that is known before needs no look at the room, and touches no
/// object, for each of its pieces.
///
/// Premise of every unsafe line: who makes a cursor (``OutputBuffer/cursor(_:)``) has made room for all that is written through it, and ``slack`` bytes more, because pieces are
/// stored in whole blocks, of which the next piece overwrites what is too much. What a block is taken from has as many bytes more.
@unsafe
struct OutputCursor {
  /// Bytes that may be touched behind a piece.
  static let slack = 64
  var at: UnsafeMutablePointer<UInt8>

  /// Copies a piece by blocks of 16 bytes, at least one.
  @inline(__always)
  mutating func blocks(_ from: UnsafePointer<UInt8>, _ count: Int) {
    var done = 0
    repeat {
      unsafe tr_copy(at + done, from + done, 16)
      done &+= 16
    } while done < count
    unsafe at += count
  }

  /// Copies a piece of at most 32 bytes.
  @inline(__always)
  mutating func twoBlocks(_ from: UnsafePointer<UInt8>, _ count: Int) {
    unsafe tr_copy(at, from, 32)
    unsafe at += count
  }

  /// Copies bytes behind which nothing may be touched.
  @inline(__always)
  mutating func exactly(_ from: UnsafePointer<UInt8>, _ count: Int) {
    unsafe tr_copy_short(at, from, count)
    unsafe at += count
  }

  @inline(__always)
  mutating func exactly(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    unsafe exactly(start.assumingMemoryBound(to: UInt8.self), bytes.count)
  }

  /// A piece of the format: its length is a constant, so the copy is a few moves.
  @inline(__always)
  mutating func append(_ text: StaticString) {
    unsafe tr_copy(at, text.utf8Start, text.utf8CodeUnitCount)
    unsafe at += text.utf8CodeUnitCount
  }

  /// The lowest `count` bytes of a word, the lowest first.
  @inline(__always)
  mutating func word(_ bytes: UInt64, _ count: Int) {
    unsafe UnsafeMutableRawPointer(at).storeBytes(of: bytes.littleEndian, as: UInt64.self)
    unsafe at += count
  }
}

extension OutputCursor {
  /// A decimal number.
  @inline(__always)
  mutating func append(_ number: UInt64) {
    unsafe self = number < 100_000_000 ? withLeading(number) : withLong(number)
  }

  /// A decimal number with its sign.
  @inline(__always)
  mutating func append(_ number: Int64) {
    if number < 0 { unsafe append("-") }
    unsafe append(number.magnitude)
  }

  /// A number from 10⁸ on. It is given a value and returns one: a cursor whose address is taken does not stay in its register.
  @inline(never)
  private func withLong(_ number: UInt64) -> OutputCursor {
    let (high, low) = number.quotientAndRemainder(dividingBy: 100_000_000)
    var line = unsafe high < 100_000_000 ? withLeading(high) : withLong(high)
    unsafe line.word(Decimal.eight(low), 8)
    return unsafe line
  }

  /// A number below 10⁸.
  @inline(__always)
  private func withLeading(_ number: UInt64) -> OutputCursor {
    let digits = Decimal.eight(number)
    // The last digit stands, even when it is a zero.
    let zeros = (digits & 0x0F0F_0F0F_0F0F_0F0F | 1 &<< 56).trailingZeroBitCount & ~7
    var line = unsafe self
    unsafe line.word(digits &>> UInt64(truncatingIfNeeded: zeros), 8 &- zeros &>> 3)
    return unsafe line
  }

  /// The last `width` digits, at most 8, of a number below 10⁸, with leading zeros.
  @inline(__always)
  mutating func append(_ number: UInt64, width: Int) {
    unsafe word(Decimal.eight(number) &>> UInt64(truncatingIfNeeded: 64 &- 8 &* width), width)
  }

  /// The fraction of a second, nine digits.
  @inline(__always)
  mutating func nanoseconds(_ fraction: UInt64) {
    let (high, low) = fraction.quotientAndRemainder(dividingBy: 10)
    unsafe word(Decimal.eight(high), 8)
    unsafe word(UInt64(UInt8(ascii: "0")) &+ low, 1)
  }

  /// The number as ``OutputBuffer/append(_:)-(Double)`` spells it. False, and nothing written, when that takes the long way.
  @inline(__always)
  mutating func append(_ number: Double) -> Bool {
    let magnitude = number.magnitude
    guard let (digits, decimals) = Decimal.short(magnitude) else { return false }
    if number.sign == .minus { unsafe append("-") }
    // Below 10⁹, and further from the next whole number than a double is inexact.
    let whole = UInt64(bitPattern: Int64(magnitude))
    unsafe append(whole)
    unsafe append(".")
    unsafe append(digits &- whole &* Decimal.power(decimals), width: max(decimals, 1))
    return true
  }

  /// Nanoseconds as decimal seconds, exactly, without trailing zeros.
  mutating func seconds(_ nanoseconds: Int64) {
    if nanoseconds < 0 { unsafe append("-") }
    let (whole, fraction) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    unsafe append(whole)
    guard fraction > 0 else { return }
    unsafe append(".")
    unsafe self.nanoseconds(fraction)
    while unsafe at[-1] == UInt8(ascii: "0") { unsafe at -= 1 }
  }
}

extension OutputBuffer {
  /// A cursor at the end, with room for `bytes`. What is written through it counts once `end` has been told.
  @inline(__always)
  func cursor(_ bytes: Int) -> OutputCursor { unsafe OutputCursor(at: reserve(bytes &+ OutputCursor.slack)) }

  /// What was written through a cursor that began at the end is part of the content.
  @inline(__always)
  func end(_ line: OutputCursor) {
    let written = unsafe line.at - reserve(0)
    assert(written <= room, "a line is longer than was said")
    advance(written)
  }
}
