import CTreeRing

/// Segments that say themselves what they are: of a call site's first record, where the site's expectation fails, and of everything that is no call.
///
/// This is also where a name hides its value (``RedactedKeys``). A site never learns such a name, so no value under one is ever written anywhere else.
extension RecordPlace {
  /// What `opening` has done.
  @usableFromInline
  @frozen
  @unsafe
  struct Opened {
    @usableFromInline let place: RecordPlace
    @usableFromInline let payload: UnsafeMutablePointer<UInt8>?
  }

  /// Begins a value with its key, and returns where the payload goes; nil when it does not fit, or is hidden.
  @usableFromInline
  @inline(never)
  func opening(_ tag: UInt8, _ key: LogKey, _ payload: Int) -> Opened {
    if key.hidesValue { return unsafe Opened(place: redacting(tag, key), payload: nil) }
    var place = self
    let payload = unsafe place.header(tag, key, payload)
    return unsafe Opened(place: place, payload: payload)
  }

  /// A value of 8 bytes.
  @usableFromInline
  @inline(never)
  func inFull(_ tag: UInt8, _ key: LogKey, _ bits: UInt64) -> RecordPlace {
    if key.hidesValue { return redacting(tag, key) }
    var place = self
    guard let payload = unsafe place.header(tag, key, 8) else { return place }
    unsafe UnsafeMutableRawPointer(payload).storeBytes(of: bits.littleEndian, as: UInt64.self)
    return place
  }

  /// A piece of the source's text.
  @usableFromInline
  @inline(never)
  func inFull(literal start: UnsafePointer<UInt8>, _ count: Int) -> RecordPlace {
    var place = self
    unsafe place.note(start, count, isKey: false)
    guard count <= RecordLayout.longestPayload, let payload = unsafe place.header(SegmentTag.literal, nil, count)
    else {
      place.fill()
      return place
    }
    unsafe tr_copy(payload, start, count)
    return place
  }

  /// Bytes under a key. What does not fit is cut where a character begins.
  @usableFromInline
  @inline(never)
  func inFull(_ tag: UInt8, _ key: LogKey, _ bytes: UnsafeBufferPointer<UInt8>) -> RecordPlace {
    guard !isFull else { return self }
    if key.hidesValue { return redacting(tag, key) }
    var place = self
    var fits = min(bytes.count, RecordLayout.longestPayload, room - Self.mostBeforePayload(key))
    while fits > 0, fits < bytes.count, unsafe bytes[fits] & 0xC0 == 0x80 { fits -= 1 }
    guard fits >= 0, let payload = unsafe place.header(tag, key, fits) else {
      place.fill()
      return place
    }
    if let start = bytes.baseAddress { unsafe tr_copy(payload, start, fits) }
    if fits < bytes.count { place.fill() }
    return place
  }

  /// Writes that there is a value, and nothing of it.
  private func redacting(_ tag: UInt8, _ key: LogKey) -> RecordPlace {
    var place = self
    let tag = SegmentTag.string | tag & SegmentTag.fieldOnly
    guard let payload = unsafe place.header(tag, key, RecordWriter.redacted.utf8CodeUnitCount, isLearnt: false) else {
      return place
    }
    unsafe tr_copy(payload, RecordWriter.redacted.utf8Start, RecordWriter.redacted.utf8CodeUnitCount)
    return place
  }

  /// Copies the pieces of a stored message into a text that has pieces of its own.
  @usableFromInline
  @inline(never)
  func addingToText(_ segments: [UInt8]) -> RecordPlace {
    guard !isFull, !segments.isEmpty else { return self }
    var place = self
    place.tellPosition()
    return place.adding(segments)
  }

  /// Closes a group or an array. The bracket has no key, and no site expects it.
  @usableFromInline
  @inline(never)
  func closing(_ tag: UInt8) -> RecordPlace {
    var place = self
    _ = unsafe place.segment(tag, nil, 0)
    return place
  }

  /// Bytes of a segment before its payload, with the position that may have to be told first.
  private static func mostBeforePayload(_ key: LogKey) -> Int { 2 * RecordLayout.segmentHeaderSize + 2 + key.length }

  /// A value's header, and before it the position in the template when the text's order depends on it.
  private mutating func header(
    _ tag: UInt8, _ key: LogKey?, _ payload: Int, isLearnt: Bool = true
  ) -> UnsafeMutablePointer<UInt8>? {
    if let key, isLearnt, key.isLearnable { unsafe note(key.start, key.length, isKey: true) }
    let isElement = unsafe key?.start == tr_element()
    if tag & SegmentTag.fieldOnly == 0, !isElement, tag != SegmentTag.label { tellPosition() }
    return unsafe segment(tag, key, payload)
  }

  private mutating func segment(_ tag: UInt8, _ key: LogKey?, _ payload: Int) -> UnsafeMutablePointer<UInt8>? {
    let count = key?.length ?? 0
    guard room >= RecordLayout.segmentHeaderSize + count + payload else {
      fill()
      return nil
    }
    let head = UInt32(tag) | UInt32(count) << 8 | UInt32(payload) << 16
    unsafe UnsafeMutableRawPointer(cursor).storeBytes(of: head.littleEndian, as: UInt32.self)
    let name = unsafe cursor + RecordLayout.segmentHeaderSize
    if let key { unsafe tr_copy_short(name, key.start, count) }
    unsafe cursor = name + (count + payload)
    return unsafe name + count
  }

  /// The text is over, and literals that were expected have not come: another call in the source shares the site (a macro's calls all stand at one place).
  @usableFromInline
  @inline(never)
  func endingText() -> RecordPlace {
    var place = self
    place.tellPosition(isEnd: true)
    return place
  }

  /// In a record of a known site: the literals that were expected and found so far stand before what comes now.
  private mutating func tellPosition(isEnd: Bool = false) {
    let site = unsafe tr_site_of_slot(slots)
    guard unsafe site.pointee.id != 0 else { return }
    let position = unsafe UInt16(truncatingIfNeeded: slots - tr_site_slots(site))
    guard position > 0 || isEnd, let payload = unsafe segment(SegmentTag.position, nil, 2) else { return }
    let told = position | (isEnd ? SegmentTag.endOfText : 0)
    unsafe UnsafeMutableRawPointer(payload).storeBytes(of: told.littleEndian, as: UInt16.self)
  }

  /// In the first record of a site: remembers the piece, for `SiteTable.learn`.
  private mutating func note(_ start: UnsafePointer<UInt8>, _ count: Int, isKey: Bool) {
    guard unsafe slots == tr_site_slots(tr_site_at(TR_SITE_LEARNING)), unsafe start != tr_element() else { return }
    let thread = unsafe tr_thread()
    let index = unsafe Int(thread.pointee.piece_count)
    // The last slot stays empty: it ends the list.
    guard index < Int(TR_SITE_SLOTS) - 1 else { return }
    unsafe tr_thread_pieces(thread)[index] = TRPiece(start: start, count: UInt32(count), is_key: isKey ? 1 : 0)
    unsafe thread.pointee.piece_count = UInt32(index + 1)
  }
}
