extension RecordWriter {
  /// Writes what `privacy` leaves of a value.
  ///
  /// The value writes itself into memory of this call first, not into the ring, and only what may be read is copied on. Cost: some 50 ns and 1.5 ns a byte for a
  /// hash; no allocation, unless the encoded value is longer than 1,000 bytes.
  @inlinable
  @inline(__always)
  public mutating func write(_ value: some LogValue, key: LogKey, fieldOnly: Bool, privacy: LogPrivacy) {
    switch privacy {
    case .public: value.write(to: &self, key: key.cleared, fieldOnly: fieldOnly)
    case .masked, .hashed: self = hiding(value, key, fieldOnly, privacy)
    case .secret: Self.redacted.write(to: &self, key: key, fieldOnly: fieldOnly)
    }
  }

  /// What stands for a value that is kept from the log.
  @inlinable
  static var redacted: StaticString { "[redacted]" }

  @usableFromInline
  @inline(never)
  func hiding(_ value: some LogValue, _ key: LogKey, _ fieldOnly: Bool, _ privacy: LogPrivacy) -> RecordWriter {
    var room = 1024
    while true {
      if let written = hiding(value, key, fieldOnly, privacy, room) { return written }
      room = RecordLayout.largestRecord
    }
  }

  /// Nil when the value needs more room than that; the largest record is always enough, because what is longer is cut there.
  private func hiding(
    _ value: some LogValue, _ key: LogKey, _ fieldOnly: Bool, _ privacy: LogPrivacy, _ room: Int
  ) -> RecordWriter? {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room) { scratch -> RecordWriter? in
      guard let start = scratch.baseAddress else { return self }
      // The stack is reused by others; a value that must not be seen does not stay on it.
      defer { unsafe scratch.update(repeating: 0) }
      var encoding = unsafe RecordWriter(RecordPlace(cursor: start, limit: start + room))
      value.write(to: &encoding, key: .none, fieldOnly: false)
      if encoding.isFull, room < RecordLayout.largestRecord { return nil }
      let encoded = unsafe UnsafeBufferPointer(start: start, count: encoding.cursor - start)
      var writer = self
      switch privacy {
      case .hashed: unsafe writer.hash(encoded, key.cleared, fieldOnly)
      default: unsafe writer.mask(encoded, key.cleared, fieldOnly)
      }
      return writer
    }
  }

  /// `#` and 16 hexadecimal digits. A string is hashed by its bytes alone, so that it gives the same hash through every interface.
  private mutating func hash(_ encoded: UnsafeBufferPointer<UInt8>, _ key: LogKey, _ fieldOnly: Bool) {
    var hash = SipHash(key: SipHash.processKey)
    var reader = unsafe SegmentReader(encoded)
    while let segment = unsafe reader.next() {
      if unsafe segment.tag != SegmentTag.string { unsafe hash.combine(segment.tag) }
      unsafe hash.combine(segment.payload)
    }
    var rest = hash.finish()
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 17) { text in
      unsafe text[0] = UInt8(ascii: "#")
      for index in (1...16).reversed() {
        let digit = UInt8(rest & 0xF)
        unsafe text[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
        rest >>= 4
      }
      unsafe bytes(Self.tag(SegmentTag.string, fieldOnly), key, UnsafeBufferPointer(text))
    }
  }

  /// `***` and the last four characters of a string that has twelve.
  private mutating func mask(_ encoded: UnsafeBufferPointer<UInt8>, _ key: LogKey, _ fieldOnly: Bool) {
    var reader = unsafe SegmentReader(encoded)
    var tail = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    if let segment = unsafe reader.next(), unsafe segment.tag == SegmentTag.string, unsafe reader.next() == nil {
      unsafe tail = Self.visibleTail(of: segment.payload)
    }
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 3 + 16) { text in
      for index in 0..<3 { unsafe text[index] = UInt8(ascii: "*") }
      for index in tail.indices { unsafe text[3 + index] = tail[index] }
      let shown = unsafe UnsafeBufferPointer(rebasing: text[..<(3 + tail.count)])
      unsafe bytes(Self.tag(SegmentTag.string, fieldOnly), key, shown)
    }
  }

  /// The last four code points, 16 bytes at most, of a text of at least twelve; else nothing.
  private static func visibleTail(of text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var seen = 0
    var start = text.count
    for index in text.indices.reversed() where unsafe text[index] & 0xC0 != 0x80 {
      seen += 1
      if seen == 4 { start = index }
      if seen == 12, text.count - start <= 16 { return unsafe UnsafeBufferPointer(rebasing: text[start...]) }
    }
    return unsafe UnsafeBufferPointer(start: nil, count: 0)
  }
}
