/// The fields of a record that are not in its text, in the trailing closure of a call or of ``Logger/with(_:)``.
///
/// ```swift
/// log.error("payment failed", error) { $0["http.status"] = 502 }
/// ```
///
/// Fields are written one after the other as they are set, and cannot be read back. Cost: as a value in the text.
@frozen
@safe
public struct LogFields {
  @usableFromInline var writer: RecordWriter

  @inlinable
  @inline(__always)
  init(_ writer: RecordWriter) { self.writer = writer }

  /// Writes a field with its own type.
  @inlinable
  @inline(__always)
  public subscript<Value: LogValue>(key: LogKey) -> Value {
    @available(*, unavailable, message: "fields of a record are written, never read")
    get { preconditionFailure("fields of a record are written, never read") }
    set { newValue.write(to: &writer, key: key, fieldOnly: true) }
  }

  /// Writes a field whose name is known only at run time.
  public mutating func set(_ key: String, _ value: some LogValue) {
    LogKey.withKey(key) { value.write(to: &writer, key: $0, fieldOnly: true) }
  }

  /// Writes a nested object.
  public mutating func group(_ key: LogKey, _ members: (inout LogFields) -> Void) {
    writer.beginGroup(key: key, fieldOnly: true)
    members(&self)
    writer.end(fieldOnly: true)
  }
}
