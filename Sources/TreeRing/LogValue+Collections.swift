extension ArraySlice: LogValue where Element: LogValue {
  /// Writes the elements as an array.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    writer.write(elements: self, key: key, fieldOnly: fieldOnly)
  }
}

extension ContiguousArray: LogValue where Element: LogValue {
  /// Writes the elements as an array.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    writer.write(elements: self, key: key, fieldOnly: fieldOnly)
  }
}

extension Set: LogValue where Element: LogValue {
  /// Writes the elements as an array, in no order.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    writer.write(elements: self, key: key, fieldOnly: fieldOnly)
  }
}

extension Dictionary: LogValue where Key == String, Value: LogValue {
  /// Writes the entries as a nested object, in no order.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    writer.group(key: key, fieldOnly: fieldOnly) { writer in
      for (name, value) in self {
        LogKey.withKey(name.isEmpty ? "_" : name) { value.write(to: &writer, key: $0, fieldOnly: fieldOnly) }
      }
    }
  }
}

extension LogValue where Self: RawRepresentable, RawValue: LogValue {
  /// An enumeration with raw values becomes a value by naming the protocol: `enum Plan: String, LogValue`.
  @inlinable
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    rawValue.write(to: &writer, key: key, fieldOnly: fieldOnly)
  }
}

extension Character: LogValue {
  /// Writes the character as a string.
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    String(self).write(to: &writer, key: key, fieldOnly: fieldOnly)
  }
}
