public import CTreeRing

/// Writes a record's segments, in place: into the ring while a call is under way, or into a buffer of a stored message.
///
/// A cursor, a limit and the call site's next slot. A piece that is what the slot expects costs one comparison, and no bytes; everything else is written in full, out of
/// line (`RecordPlace+InFull.swift`). A segment that does not fit is cut (a string) or left out, and the writer is *full* from then on: every further segment is
/// ignored, and the end of the call decides between a truncated record and a drop. No call allocates, locks or enters the kernel.
///
/// **Why two words for a place.** The cursor is `base + offset`, the slot `slotBase + slotOffset`. Where a call is inlined the compiler knows both offsets at each piece of
/// the text, so they become part of the addresses in the code, and nothing is counted up from piece to piece. It knows them only if they are the same whichever way
/// a piece was written: so a piece that went out of line moves the bases instead (`follow(_:ahead:slots:)`). What is not inlined is given a `RecordPlace` and
/// returns one, because a writer whose address is given away, if only on a rare path, lives in memory on every path.
///
/// Premise of every unsafe line: `cursor ..< limit` is memory that only this writer writes, and so are `RecordLayout.slack` bytes behind it when `slots` is a
/// known site's. A store is preceded by a check of `room`, but for expected values of a fixed size: there are fewer of them than the slack holds, because each
/// uses up a slot. `slots` points at a slot of `tr_sites`, whose last one is 0 and equals nothing.
@frozen
@safe
public struct RecordWriter {
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  @usableFromInline var offset = 0
  /// Nil: full.
  @usableFromInline var limit: UnsafeMutablePointer<UInt8>?
  /// An address, for it may lie before the table.
  @usableFromInline var slotBase: UInt
  @usableFromInline var slotOffset: UInt = 0

  @inlinable
  @inline(__always)
  init(_ place: RecordPlace) {
    unsafe base = place.cursor
    unsafe limit = place.limit
    slotBase = unsafe UInt(bitPattern: place.slots)
  }

  /// Where it stands.
  @inlinable @inline(__always)
  var place: RecordPlace { unsafe RecordPlace(cursor: cursor, limit: limit, slots: slots) }

  /// Where the next segment goes.
  @inlinable @inline(__always)
  var cursor: UnsafeMutablePointer<UInt8> {
    get { unsafe base + offset }
    set { unsafe base = newValue - offset }
  }

  /// The slot of the next piece.
  @inlinable @inline(__always)
  var slots: UnsafePointer<UInt64> { unsafe tr_slot(slotBase &+ slotOffset) }

  /// Whether something did not fit.
  @inlinable @inline(__always)
  var isFull: Bool { unsafe limit == nil }

  /// Bytes left; negative when full.
  @inlinable @inline(__always)
  var room: Int { unsafe Int(bitPattern: limit) &- Int(bitPattern: cursor) }

  @inlinable
  @inline(__always)
  mutating func fill() { unsafe limit = nil }

  /// Whether the call site says that the next value is this one's.
  @inlinable @inline(__always)
  func expects(_ key: LogKey) -> Bool { unsafe slots.pointee == key.slot }

  /// Goes on at `place`, less what the caller is about to add to the offsets, whichever way it came.
  @inlinable
  @inline(__always)
  mutating func follow(_ place: RecordPlace, ahead: Int = 0, slots: UInt = 0) {
    unsafe base = place.cursor - (offset &+ ahead)
    unsafe limit = place.limit
    slotBase = unsafe UInt(bitPattern: place.slots) &- slotOffset &- slots
  }

  /// Begins a value whose payload has a fixed size of at most 8 bytes, when that fits, and returns where the payload goes.
  @inlinable
  @inline(__always)
  mutating func open(_ tag: UInt8, _ key: LogKey, payload: Int) -> UnsafeMutablePointer<UInt8>? {
    let payloadStart: UnsafeMutablePointer<UInt8>?
    if _fastPath(expects(key)) {
      unsafe cursor.pointee = tag | SegmentTag.expected
      unsafe payloadStart = cursor + 1
    } else {
      let opened = unsafe place.opening(tag, key, payload)
      unsafe follow(opened.place, ahead: 1 &+ payload, slots: 8)
      unsafe payloadStart = opened.payload
    }
    offset &+= 1 &+ payload
    slotOffset &+= 8
    return unsafe payloadStart
  }

  /// A segment whose payload is the 8 bytes of `bits`.
  @inlinable
  @inline(__always)
  mutating func word(_ tag: UInt8, _ key: LogKey, _ bits: UInt64) {
    if _fastPath(expects(key)) {
      unsafe cursor.pointee = tag | SegmentTag.expected
      unsafe UnsafeMutableRawPointer(cursor + 1).storeBytes(of: bits.littleEndian, as: UInt64.self)
    } else {
      follow(place.inFull(tag, key, bits), ahead: 9, slots: 8)
    }
    offset &+= 9
    slotOffset &+= 8
  }

  /// A piece of the message's text as it stands in the source.
  @inlinable
  @inline(__always)
  mutating func literal(_ text: StaticString) {
    guard text.utf8CodeUnitCount > 0 else { return }
    if unsafe !_fastPath(slots.pointee == UInt64(UInt(bitPattern: text.utf8Start))) {
      unsafe follow(place.inFull(literal: text.utf8Start, text.utf8CodeUnitCount), slots: 8)
    }
    slotOffset &+= 8
  }

  /// A segment of a string's bytes. Only the usual string is copied here (``copyString(_:to:limit:)``).
  @inlinable
  @inline(__always)
  mutating func string(_ tag: UInt8, _ key: LogKey, _ string: String) {
    if _fastPath(expects(key)), let end = unsafe copyString(string, to: cursor + 1, limit: limit) {
      unsafe cursor.pointee = tag | SegmentTag.expected
      unsafe cursor = end
    } else {
      follow(place.writing(tag, key, string), slots: 8)
    }
    slotOffset &+= 8
  }

  /// A segment of bytes. What does not fit is cut.
  @inlinable
  @inline(__always)
  mutating func bytes(_ tag: UInt8, _ key: LogKey, _ bytes: UnsafeBufferPointer<UInt8>) {
    if expects(key), room >= 3 &+ bytes.count, bytes.count <= RecordLayout.longestPayload,
      let start = bytes.baseAddress
    {
      unsafe cursor.pointee = tag | SegmentTag.expected
      unsafe UnsafeMutableRawPointer(cursor + 1).storeBytes(
        of: UInt16(truncatingIfNeeded: bytes.count).littleEndian, as: UInt16.self)
      unsafe tr_copy_short(cursor + 3, start, bytes.count)
      unsafe cursor += 3 &+ bytes.count
    } else {
      unsafe follow(place.inFull(tag, key, bytes), slots: 8)
    }
    slotOffset &+= 8
  }
}
