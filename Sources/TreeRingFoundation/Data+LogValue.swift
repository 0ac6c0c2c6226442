public import FoundationEssentials
public import TreeRing

extension Data: LogValue {
  /// Writes the bytes in base 64. Allocates.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    base64EncodedString().write(to: &writer, key: key, fieldOnly: fieldOnly)
  }
}

extension Decimal: LogValue {
  /// Writes the digits as a string: a number of JSON would not keep them all. Allocates.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    description.write(to: &writer, key: key, fieldOnly: fieldOnly)
  }
}
