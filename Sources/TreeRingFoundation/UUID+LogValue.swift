public import FoundationEssentials
public import TreeRing

extension UUID: LogValue {
  /// Writes the 36 characters of ``uuidString``. No allocation.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    writer.write(utf8: text.span, key: key, fieldOnly: fieldOnly)
  }

  private var text: InlineArray<36, UInt8> {
    var text = InlineArray<36, UInt8>(repeating: UInt8(ascii: "-"))
    var end = 0
    unsafe withUnsafeBytes(of: uuid) { bytes in
      for index in bytes.indices {
        if [4, 6, 8, 10].contains(index) { end += 1 }
        unsafe text[end] = Self.digit(bytes[index] >> 4)
        unsafe text[end + 1] = Self.digit(bytes[index] & 0xF)
        end += 2
      }
    }
    return text
  }

  private static func digit(_ number: UInt8) -> UInt8 {
    number < 10 ? UInt8(ascii: "0") + number : UInt8(ascii: "A") - 10 + number
  }
}
