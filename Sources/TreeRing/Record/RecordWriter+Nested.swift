extension RecordWriter {
  /// Writes a nested object: `members` writes its fields, each under its key, with the same `fieldOnly`. It is not asked when the object does not fit, or when
  /// its name hides it.
  @inlinable
  public mutating func group(key: LogKey, fieldOnly: Bool, _ members: (inout RecordWriter) -> Void) {
    guard unsafe open(Self.tag(SegmentTag.group, fieldOnly), key, payload: 0) != nil else { return }
    members(&self)
    follow(place.closing(Self.tag(SegmentTag.end, fieldOnly)))
  }

  /// Writes an array: `elements` writes its elements, each under ``LogKey/element``, with the same `fieldOnly`. It is not asked when the array does not fit, or
  /// when its name hides it.
  @inlinable
  public mutating func array(key: LogKey, fieldOnly: Bool, _ elements: (inout RecordWriter) -> Void) {
    guard unsafe open(Self.tag(SegmentTag.array, fieldOnly), key, payload: 0) != nil else { return }
    elements(&self)
    follow(place.closing(Self.tag(SegmentTag.end, fieldOnly)))
  }

  /// Writes values as an array.
  @inlinable
  public mutating func write<Elements: Sequence>(elements: Elements, key: LogKey, fieldOnly: Bool)
  where Elements.Element: LogValue {
    array(key: key, fieldOnly: fieldOnly) { writer in
      for element in elements { element.write(to: &writer, key: .element, fieldOnly: fieldOnly) }
    }
  }
}
