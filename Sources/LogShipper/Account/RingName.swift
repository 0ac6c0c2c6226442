/// A ring's name in a record, `<process stream id>.<index>`, as a value that costs no allocation.
package struct RingName: Hashable, Sendable, CustomStringConvertible {
  package let stream: StreamID
  package let index: UInt32

  package init(stream: StreamID, index: UInt32) {
    self.stream = stream
    self.index = index
  }

  /// Reads the name from the bytes of a JSON string. Nil when it is none: no dot, an index that is no number (or has a leading zero), or an
  /// identity that is no `StreamID`. Another program may well have a field named `ring`.
  init?(_ bytes: Span<UInt8>) {
    guard let dot = Self.lastDot(bytes), let stream = StreamID(bytes.extracting(0..<dot)),
      let index = Self.index(bytes.extracting((dot + 1)..<bytes.count))
    else { return nil }
    self.init(stream: stream, index: index)
  }

  /// The longest name: an identity, a dot, and ten digits.
  static let longest = StreamID.longest + 11

  package var description: String { "\(stream).\(index)" }

  private static func lastDot(_ bytes: Span<UInt8>) -> Int? {
    guard bytes.count <= longest else { return nil }
    var position = bytes.count - 1
    while position >= 0 {
      if bytes[position] == UInt8(ascii: ".") { return position }
      position -= 1
    }
    return nil
  }

  private static func index(_ digits: Span<UInt8>) -> UInt32? {
    guard digits.count > 0, digits.count <= 10, digits.count == 1 || digits[0] != UInt8(ascii: "0") else { return nil }
    var number: UInt64 = 0
    for position in digits.indices {
      let digit = digits[position] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      number = number * 10 + UInt64(digit)
    }
    return UInt32(exactly: number)
  }
}

/// The identity of one run of logging: 1 to 32 letters, digits, `-` or `_` (TreeRing writes 32 hexadecimal digits).
package struct StreamID: Hashable, Sendable, Comparable, CustomStringConvertible {
  // The characters from the left, filled up with zeros: 16 in each half.
  private var high: UInt128 = 0
  private var low: UInt128 = 0

  static let longest = 32

  init?(_ bytes: Span<UInt8>) {
    guard bytes.count > 0, bytes.count <= Self.longest else { return nil }
    for position in bytes.indices {
      guard Self.isAllowed(bytes[position]) else { return nil }
      let byte = UInt128(bytes[position]) << UInt128(120 - 8 * (position % 16))
      if position < 16 { high |= byte } else { low |= byte }
    }
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }

  package static func < (left: StreamID, right: StreamID) -> Bool {
    left.high != right.high ? left.high < right.high : left.low < right.low
  }

  package var description: String {
    var bytes: [UInt8] = []
    for half in [high, low] {
      for position in 0..<16 { bytes.append(UInt8(truncatingIfNeeded: half >> UInt128(120 - 8 * position))) }
    }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
