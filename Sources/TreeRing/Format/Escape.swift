/// Making any bytes safe in a line of output: valid UTF-8, no control characters, no terminal escapes.
extension OutputBuffer {
  /// Appends `bytes` as the inside of a JSON string (RFC 8259, section 7): quotes, backslashes and control characters escaped, invalid UTF-8 replaced by
  /// U+FFFD. Any bytes are allowed.
  ///
  /// - Parameter isForPeople: escapes what turns a line around, too: for quotes that stand in a line of text.
  func appendJSONEscaped(_ bytes: UnsafeBufferPointer<UInt8>, isForPeople: Bool = false) {
    if unsafe Escape.areAll(bytes, Escape.isPlainInJSON) { return unsafe append(bytes) }
    unsafe appendEscaped(bytes, plain: Escape.plainInJSON, isForPeople: isForPeople) { output, byte in
      switch byte {
      case UInt8(ascii: "\""): output.append("\\\"")
      case UInt8(ascii: "\\"): output.append("\\\\")
      case UInt8(ascii: "\n"): output.append("\\n")
      case UInt8(ascii: "\r"): output.append("\\r")
      case UInt8(ascii: "\t"): output.append("\\t")
      default: Escape.unicode(byte, output)
      }
    }
  }

  /// Appends `bytes` as text for people: control characters, and so terminal escapes, become `\u001b` and the like, and so do characters that change the order
  /// in which a line is shown, and with it what it seems to say; a line feed becomes what `newline` says.
  func appendTextEscaped(_ bytes: UnsafeBufferPointer<UInt8>, newline: StaticString = "\\n") {
    if unsafe Escape.areAll(bytes, Escape.isPlainInText) { return unsafe append(bytes) }
    unsafe appendEscaped(bytes, plain: Escape.plainInText, isForPeople: true) { output, byte in
      switch byte {
      case UInt8(ascii: "\n"): output.append(newline)
      case UInt8(ascii: "\r"): output.append("\\r")
      case UInt8(ascii: "\t"): output.append("\\t")
      default: Escape.unicode(byte, output)
      }
    }
  }

  /// Copies runs of plain bytes at once; hands each other ASCII byte, and each control character of Latin-1, to `escape`;
  /// checks everything else to be UTF-8.
  @inline(__always)
  func appendEscaped(
    _ bytes: UnsafeBufferPointer<UInt8>, plain: (UInt8) -> Bool, isForPeople: Bool = false,
    _ escape: (OutputBuffer, UInt8) -> Void
  ) {
    var runStart = 0
    var index = 0
    while index < bytes.count {
      let byte = unsafe bytes[index]
      if plain(byte) {
        index += 1
        continue
      }
      let length = byte < 0x80 ? 0 : unsafe UTF8Check.lengthOfCharacter(in: bytes, at: index)
      // C1 control characters (U+0080 to U+009F) steer terminals too.
      let isControl = unsafe length == 2 && byte == 0xC2 && bytes[index + 1] < 0xA0
      let order = isForPeople ? unsafe Escape.orderingScalar(in: bytes, at: index, length) : nil
      if length > 0, !isControl, order == nil {
        index += length
        continue
      }
      unsafe append(UnsafeBufferPointer(rebasing: bytes[runStart..<index]))
      if byte < 0x80 {
        escape(self, byte)
      } else if isControl {
        unsafe escape(self, bytes[index + 1])
      } else if let order {
        Escape.unicode(order, self)
      } else {
        append("\u{FFFD}" as StaticString)
      }
      index += max(length, 1)
      runStart = index
    }
    unsafe append(UnsafeBufferPointer(rebasing: bytes[runStart...]))
  }
}

enum Escape {
  @inline(__always)
  static func plainInJSON(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  @inline(__always)
  static func plainInText(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x7F }

  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let tops: UInt64 = 0x8080_8080_8080_8080

  /// Whether all 8 bytes of `word` are plain text. By the tricks of S. E. Anderson's "Bit Twiddling Hacks" (determine if a word has a zero byte, a byte
  /// less than n): the top bit of a byte is set when the byte is below 0x20, is 0x7F, or has its own top bit set. A borrow can only come out of a byte that is
  /// flagged itself, so the answer about the whole word is exact.
  @inline(__always)
  static func isPlainInText(_ word: UInt64) -> Bool {
    let isLow = (word &- ones &* 0x20) & ~word
    let isHigh = word | (word &+ ones)
    return (isLow | isHigh) & tops == 0
  }

  /// The same, and no byte is a quote or a backslash.
  @inline(__always)
  static func isPlainInJSON(_ word: UInt64) -> Bool {
    let quotes = word ^ ones &* UInt64(UInt8(ascii: "\""))
    let backslashes = word ^ ones &* UInt64(UInt8(ascii: "\\"))
    let isQuote = (quotes &- ones) & ~quotes
    let isBackslash = (backslashes &- ones) & ~backslashes
    return (isQuote | isBackslash) & tops == 0 && isPlainInText(word)
  }

  /// Whether all of `bytes` are plain text.
  @inline(__always)
  static func isPlainText(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { unsafe areAll(bytes, isPlainInText) }

  /// Whether `bytes` stand as they are in every format.
  static func isPlainInEveryFormat(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool { unsafe areAll(bytes, isPlainInJSON) }

  /// Whether `arePlain` holds for all bytes, eight at a time; the last eight overlap the ones before.
  @inline(__always)
  static func areAll(_ bytes: UnsafeBufferPointer<UInt8>, _ arePlain: (UInt64) -> Bool) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    let count = bytes.count
    if count < 8 { return unsafe arePlain(shortWord(start, count)) }
    var index = 0
    while index &+ 8 < count {
      guard unsafe arePlain(UnsafeRawPointer(start + index).loadUnaligned(as: UInt64.self)) else { return false }
      index &+= 8
    }
    return unsafe arePlain(UnsafeRawPointer(start + (count &- 8)).loadUnaligned(as: UInt64.self))
  }

  /// Fewer than 8 bytes, each at least once, and blanks.
  @inline(__always)
  private static func shortWord(_ start: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    let blanks = ones &* 0x20
    if count >= 4 {
      let first = unsafe UnsafeRawPointer(start).loadUnaligned(as: UInt32.self)
      let last = unsafe UnsafeRawPointer(start + (count &- 4)).loadUnaligned(as: UInt32.self)
      return UInt64(first) | UInt64(last) << 32
    }
    guard count > 0 else { return blanks }
    let bytes = unsafe UInt64(start[0]) | UInt64(start[count / 2]) << 8 | UInt64(start[count &- 1]) << 16
    return bytes | blanks & ~0xFF_FFFF
  }

  /// `\u00XX`.
  static func unicode(_ byte: UInt8, _ output: OutputBuffer) {
    output.append("\\u00")
    for nibble in [byte >> 4, byte & 15] {
      output.append(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
    }
  }
}

extension Escape {
  /// The character of `length` bytes at `index`, where it is one that `ordersText` tells of.
  @inline(__always)
  static func orderingScalar(in bytes: UnsafeBufferPointer<UInt8>, at index: Int, _ length: Int) -> UInt16? {
    let first = unsafe bytes[index]
    guard length == 3 && first == 0xE2 || length == 2 && first == 0xD8 else { return nil }
    var value = UInt32(first & (length == 3 ? 0x0F : 0x1F))
    for offset in 1..<length { unsafe value = value << 6 | UInt32(bytes[index + offset] & 0x3F) }
    return Unicode.Scalar(value)?.ordersText == true ? UInt16(value) : nil
  }

  /// `\uXXXX`.
  static func unicode(_ value: UInt16, _ output: OutputBuffer) {
    output.append("\\u")
    for shift in [12, 8, 4, 0] {
      let nibble = UInt8(value >> UInt16(shift) & 15)
      output.append(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
    }
  }
}

extension Unicode.Scalar {
  /// Whether it is shown as nothing, and changes in which order, or on which line, the text around it is: the marks, embeddings, overrides and isolates of the bidirectional
  /// algorithm (UAX #9, section 2), and the separators of lines and paragraphs.
  var ordersText: Bool {
    switch value {
    case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

/// The well-formed sequences of UTF-8 (Unicode standard, table 3-7).
enum UTF8Check {
  /// Bytes of the character that begins at `index` with a byte of 0x80 or above; 0 when there is no well-formed one.
  static func lengthOfCharacter(in bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
    let first = unsafe bytes[index]
    let (length, low, high): (Int, UInt8, UInt8) =
      switch first {
      case 0xC2...0xDF: (2, 0x80, 0xBF)
      case 0xE0: (3, 0xA0, 0xBF)
      case 0xED: (3, 0x80, 0x9F)
      case 0xE1...0xEF: (3, 0x80, 0xBF)
      case 0xF0: (4, 0x90, 0xBF)
      case 0xF1...0xF3: (4, 0x80, 0xBF)
      case 0xF4: (4, 0x80, 0x8F)
      default: (0, 0, 0)
      }
    guard length > 0, index + length <= bytes.count, unsafe (low...high).contains(bytes[index + 1]) else { return 0 }
    for offset in 2..<max(length, 2) where unsafe bytes[index + offset] & 0xC0 != 0x80 { return 0 }
    return length
  }
}
