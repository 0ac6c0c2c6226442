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

  /// Writes what a mark leaves of a field: `$0["user.id", .hashed] = id`.
  @inlinable
  @inline(__always)
  public subscript<Value: LogValue>(key: LogKey, privacy: LogPrivacy) -> Value {
    @available(*, unavailable, message: "fields of a record are written, never read")
    get { preconditionFailure("fields of a record are written, never read") }
    set { writer.write(newValue, key: key, fieldOnly: true, privacy: privacy) }
  }

  /// A value that no record can carry.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "only a LogValue is a field: make the type one, or write its description: \"\\(value)\""
  )
  public subscript<Value>(key: LogKey) -> Value {
    get { preconditionFailure("unavailable") }
    set {}
  }

  /// A name made at run time.
  @_disfavoredOverload
  @available(*, unavailable, message: "a name made at run time is set by $0.set(name, value)")
  public subscript<Value: LogValue>(key: String) -> Value {
    get { preconditionFailure("unavailable") }
    set {}
  }

  /// Writes a field whose name is known only at run time.
  public mutating func set(_ key: String, _ value: some LogValue) {
    LogKey.withKey(key) { value.write(to: &writer, key: $0, fieldOnly: true) }
  }

  /// Writes what a mark leaves of a field whose name is known only at run time.
  public mutating func set(_ key: String, _ value: some LogValue, _ privacy: LogPrivacy) {
    LogKey.withKey(key) { writer.write(value, key: $0, fieldOnly: true, privacy: privacy) }
  }

  /// Writes a nested object.
  public mutating func group(_ key: LogKey, _ members: (inout LogFields) -> Void) {
    writer.group(key: key, fieldOnly: true) { writer in
      var fields = LogFields(writer)
      members(&fields)
      writer = fields.writer
    }
  }

  /// Writes an array, whose elements `elements` appends.
  public mutating func array(_ key: LogKey, _ elements: (inout LogElements) -> Void) {
    writer.array(key: key, fieldOnly: true) { writer in
      var collected = LogElements(writer)
      elements(&collected)
      writer = collected.writer
    }
  }
}

/// The elements of an array that a field holds, of any types: see ``LogFields/array(_:_:)``.
///
/// ```swift
/// log.info("cart") { $0.array("items") { for item in items { $0.group { $0["sku"] = item.sku } } } }
/// ```
public struct LogElements {
  var writer: RecordWriter

  init(_ writer: RecordWriter) { self.writer = writer }

  /// Writes one element.
  public mutating func append(_ value: some LogValue) { value.write(to: &writer, key: .element, fieldOnly: true) }

  /// Writes one element that is an object.
  public mutating func group(_ members: (inout LogFields) -> Void) {
    var fields = LogFields(writer)
    fields.group(.element, members)
    writer = fields.writer
  }

  /// Writes one element that is an array.
  public mutating func array(_ elements: (inout LogElements) -> Void) {
    var fields = LogFields(writer)
    fields.array(.element, elements)
    writer = fields.writer
  }
}
