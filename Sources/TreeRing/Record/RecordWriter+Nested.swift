extension RecordWriter {
  /// Writes a nested object: `members` writes its fields, each under its key, with the same `fieldOnly`.
  public mutating func group(key: LogKey, fieldOnly: Bool, _ members: (inout RecordWriter) -> Void) {
    beginGroup(key: key, fieldOnly: fieldOnly)
    members(&self)
    end(fieldOnly: fieldOnly)
  }

  /// Writes an array: `elements` writes its elements, each with an empty key and the same `fieldOnly`.
  public mutating func array(key: LogKey, fieldOnly: Bool, _ elements: (inout RecordWriter) -> Void) {
    beginArray(key: key, fieldOnly: fieldOnly)
    elements(&self)
    end(fieldOnly: fieldOnly)
  }
}
