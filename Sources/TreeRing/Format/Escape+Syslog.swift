/// What RFC 5424 allows in the parts of a message.
extension OutputBuffer {
  /// Any bytes as a value of structured data (section 6.3.3): `"`, `\` and `]` get a backslash, control characters become `\\n` or `\\u001b`, which a receiver
  /// that undoes the escapes shows as `\n` and `\u001b`, and what is no UTF-8 becomes U+FFFD.
  func appendStructuredValue(_ bytes: UnsafeBufferPointer<UInt8>) {
    unsafe appendEscaped(bytes, plain: Escape.plainInStructuredData) { output, byte in
      output.append("\\")
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]"): output.append(byte)
      case UInt8(ascii: "\n"): output.append("\\n")
      case UInt8(ascii: "\r"): output.append("\\r")
      case UInt8(ascii: "\t"): output.append("\\t")
      default: Escape.unicode(byte, output)
      }
    }
  }

  /// Any bytes as a name of printable ASCII, at most `longest` characters: each other byte becomes `_`, nothing becomes `nothing`.
  func appendSyslogName(_ bytes: UnsafeBufferPointer<UInt8>, longest: Int, nothing: StaticString = "-") {
    if bytes.isEmpty { return append(nothing) }
    for index in 0..<min(bytes.count, longest) {
      let byte = unsafe bytes[index]
      append(Escape.plainInSyslogName(byte) ? byte : UInt8(ascii: "_"))
    }
  }

  /// Cuts what stands from `start` on to `limit` bytes, where a character begins, and marks the cut with `…`. Premise: `limit` is 3 or more.
  func cut(from start: Int, to limit: Int) {
    guard count - start > limit, limit >= 3 else { return }
    var end = start + limit - 3
    while end > start, unsafe bytes[end] & 0xC0 == 0x80 { end -= 1 }
    truncate(to: end)
    append("…")
  }
}

extension Escape {
  @inline(__always)
  static func plainInStructuredData(_ byte: UInt8) -> Bool {
    plainInText(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "]")
  }

  /// PRINTUSASCII without what a name of structured data may not hold.
  @inline(__always)
  static func plainInSyslogName(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "]")
  }
}
