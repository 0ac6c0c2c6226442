import CTreeRing

/// What a backend of another logging interface writes: texts and fields whose names are made at run time. No call site expects them, and none learns them, so each says
/// itself what it is, and is written here without the questions that the pieces of a call in the source are asked.
///
/// Premise of every unsafe line: that of ``RecordWriter``; each store comes after a look at `room`.
extension RecordPlace {
  /// A text without values.
  @usableFromInline
  @inline(never)
  func writing(text: String) -> RecordPlace {
    let count = text.utf8.count
    let payload = unsafe cursor + RecordLayout.segmentHeaderSize
    guard count <= RecordLayout.longestPayload, room >= RecordLayout.segmentHeaderSize + count,
      unsafe text.copied(to: payload)
    else { return writing(SegmentTag.string, .none, text) }
    var place = self
    head(SegmentTag.string, 0, count)
    unsafe place.cursor = payload + count
    return place
  }

  /// A field that is a string.
  @inline(never)
  package func writing(_ name: String, _ value: String) -> RecordPlace {
    let count = value.utf8.count
    var place = self
    guard count <= RecordLayout.longestPayload, let payload = unsafe place.openField(SegmentTag.string, name, count),
      unsafe value.copied(to: payload)
    else { return writingSlowly(name, value) }
    return place
  }

  /// A field of 8 bytes: `bits` is the value, `tag` what it is.
  @inline(never)
  package func writing(_ name: String, _ tag: UInt8, _ bits: UInt64) -> RecordPlace {
    var place = self
    guard let payload = unsafe place.openField(tag, name, 8) else {
      return LogKey.withFieldKey(name) { inFull(tag | SegmentTag.fieldOnly, $0, bits) }
    }
    unsafe UnsafeMutableRawPointer(payload).storeBytes(of: bits.littleEndian, as: UInt64.self)
    return place
  }

  /// A field that is true or false.
  @inline(never)
  package func writing(_ name: String, _ value: Bool) -> RecordPlace {
    var place = self
    guard let payload = unsafe place.openField(SegmentTag.bool, name, 1) else { return writingSlowly(name, value) }
    unsafe payload.pointee = value ? 1 : 0
    return place
  }

  /// Whatever a writer writes.
  package func writing(_ body: (inout RecordWriter) -> Void) -> RecordPlace {
    var writer = RecordWriter(self)
    body(&writer)
    return writer.place
  }

  /// A copy of fields that are encoded. Too many of them are cut at a field's end.
  package func adding(_ fields: EncodedFields) -> RecordPlace { adding(fields.segments) }

  /// Begins a field and returns where its payload goes. Nil when the usual way has to look at it: it has no name, does not fit, or its name hides its value.
  @inline(__always)
  private mutating func openField(_ tag: UInt8, _ name: String, _ payload: Int) -> UnsafeMutablePointer<UInt8>? {
    let count = name.utf8.count
    guard count > 0, count <= RecordLayout.longestKey, room >= RecordLayout.segmentHeaderSize + count + payload else {
      return nil
    }
    let key = unsafe cursor + RecordLayout.segmentHeaderSize
    // The list of redacted keys looks at the copy: it lies in one piece, whatever the string is.
    guard unsafe name.copied(to: key),
      unsafe !RedactionTable.hides(UnsafeBufferPointer(start: key, count: count))
    else { return nil }
    head(tag | SegmentTag.fieldOnly, count, payload)
    unsafe cursor = key + (count + payload)
    return unsafe key + count
  }

  /// The four bytes before a key and a payload.
  @inline(__always)
  private func head(_ tag: UInt8, _ key: Int, _ payload: Int) {
    let head = UInt32(tag) | UInt32(truncatingIfNeeded: key) << 8 | UInt32(truncatingIfNeeded: payload) << 16
    unsafe UnsafeMutableRawPointer(cursor).storeBytes(of: head.littleEndian, as: UInt32.self)
  }

  @inline(never)
  private func writingSlowly(_ name: String, _ value: some LogValue) -> RecordPlace {
    LogKey.withFieldKey(name) { key in writing { value.write(to: &$0, key: key, fieldOnly: true) } }
  }
}

extension LogKey {
  /// A key for a name that is known only at run time, valid within `body`. A field of a record has a name.
  package static func withFieldKey<Result>(_ name: String, _ body: (LogKey) -> Result) -> Result {
    withKey(name.isEmpty ? "_" : name, body)
  }
}

extension String {
  /// Copies the UTF-8, all `utf8.count` bytes of it; false, and nothing is copied, when it does not lie in one piece.
  @inline(__always)
  fileprivate func copied(to place: UnsafeMutablePointer<UInt8>) -> Bool {
    let copied: Void? = unsafe utf8.withContiguousStorageIfAvailable {
      if let start = $0.baseAddress { unsafe tr_copy_short(place, start, $0.count) }
    }
    return copied != nil
  }
}
