/// logfmt, as `kr/logfmt` reads it and Go's `go-logfmt/logfmt` and `log/slog` write it: pairs `name=value` divided by blanks.
///
/// A name has no blank, `=`, `"` or control character; each such byte becomes `_`, as does one that turns the line around. A value stands as it is when it is printable ASCII without blank,
/// `=` and `"`; any other, the empty one, and the word `null` when it is text, stand in quotes with the escapes of a JSON string.
extension OutputBuffer {
  /// Any bytes as a name.
  func appendLogfmtName(_ bytes: UnsafeBufferPointer<UInt8>) {
    if bytes.isEmpty { return append(UInt8(ascii: "_")) }
    var index = 0
    while index < bytes.count {
      let byte = unsafe bytes[index]
      let length = byte < 0x80 ? 0 : unsafe UTF8Check.lengthOfCharacter(in: bytes, at: index)
      // U+0080 to U+009F are control characters.
      let isControl = unsafe length == 2 && byte == 0xC2 && bytes[index + 1] < 0xA0
      let isCharacter = unsafe length > 0 && !isControl && Escape.orderingScalar(in: bytes, at: index, length) == nil
      if isCharacter {
        unsafe append(UnsafeBufferPointer(rebasing: bytes[index..<index + length]))
      } else {
        append(Escape.plainInLogfmt(byte) ? byte : UInt8(ascii: "_"))
      }
      index += max(length, 1)
    }
  }

  /// Any bytes as a value.
  func appendLogfmtValue(_ bytes: UnsafeBufferPointer<UInt8>) {
    if unsafe Escape.isBareInLogfmt(bytes) { return unsafe append(bytes) }
    append(UInt8(ascii: "\""))
    unsafe appendJSONEscaped(bytes, isForPeople: true)
    append(UInt8(ascii: "\""))
  }

  /// A field's value. Durations are seconds, numbers that are none are `nan`, `inf` and `-inf`.
  func appendLogfmtValue(of segment: Segment) {
    switch unsafe segment.tag {
    case SegmentTag.string: unsafe appendLogfmtValue(segment.payload)
    case SegmentTag.duration: unsafe ValueText.appendSeconds(Int64(bitPattern: segment.word), to: self)
    default: unsafe ValueText.append(segment, to: self) { _, _ in }
    }
  }

  /// The fields of a notice, each with a blank in front. `time` appends an RFC 3339 time.
  func appendLogfmt(_ notice: StreamNotice, time: (UInt64) -> Void) {
    for (name, value) in notice.flatFields {
      append(string: " \(name)=")
      switch value {
      case .number(let number): append(number)
      case .time(let nanoseconds): time(nanoseconds)
      case .text(var text): text.withUTF8 { unsafe appendLogfmtValue($0) }
      case .counts: break
      }
    }
  }
}

extension Escape {
  @inline(__always)
  static func plainInLogfmt(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
  }

  static func isBareInLogfmt(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let null: StaticString = "null"
    guard let start = bytes.baseAddress, bytes.count > 0 else { return false }
    for index in 0..<bytes.count where unsafe !plainInLogfmt(start[index]) { return false }
    return unsafe bytes.count != 4 || !start.matches(UnsafeRawBufferPointer(start: null.utf8Start, count: 4))
  }
}
