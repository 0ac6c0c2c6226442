public import CTreeRing

/// Writes a record's segments, in place: into the ring while a call is under way, or into a buffer of a stored message.
///
/// A cursor, a limit and the call site's next slot, held in registers: what is not inlined into a call takes the writer by value and returns it, because a
/// writer whose address is given away, if only on a rare path, lives in memory on every path. A piece that is what the slot expects costs one comparison,
/// and no bytes; everything else is written in full, out of line (`RecordWriter+InFull.swift`). A segment that does not fit is cut (a string) or left out, and the
/// writer is *full* from then on: every further segment is ignored, and the end of the call decides between a truncated record and a drop. No call allocates, locks
/// or enters the kernel.
///
/// Premise of every unsafe line: `cursor ..< limit` is memory that only this writer writes, and so are `RecordLayout.slack` bytes behind it when `slots` is a
/// known site's. A store is preceded by a check of `room`, but for expected values of a fixed size: there are fewer of them than the slack holds, because each
/// uses up a slot. `slots` points at a slot of `tr_sites`, whose last one is 0 and equals nothing.
@frozen
@safe
public struct RecordWriter {
  @usableFromInline var cursor: UnsafeMutablePointer<UInt8>
  /// Nil: full.
  @usableFromInline var limit: UnsafeMutablePointer<UInt8>?
  @usableFromInline var slots: UnsafePointer<UInt64>

  @inlinable
  @inline(__always)
  init(cursor: UnsafeMutablePointer<UInt8>, limit: UnsafeMutablePointer<UInt8>?, slots: UnsafePointer<UInt64>) {
    unsafe self.cursor = cursor
    unsafe self.limit = limit
    unsafe self.slots = slots
  }

  /// A writer outside of any call: nothing is expected, every segment says what it is.
  init(cursor: UnsafeMutablePointer<UInt8>, limit: UnsafeMutablePointer<UInt8>?) {
    unsafe self.init(cursor: cursor, limit: limit, slots: tr_site_slots(tr_site_at(TR_SITE_NONE)))
  }

  /// Whether something did not fit.
  @inlinable @inline(__always)
  var isFull: Bool { unsafe limit == nil }

  /// Bytes left; negative when full.
  @inlinable @inline(__always)
  var room: Int { unsafe Int(bitPattern: limit) &- Int(bitPattern: cursor) }

  @inlinable
  @inline(__always)
  mutating func fill() { unsafe limit = nil }

  /// Begins a value whose payload has a fixed size of at most 8 bytes, when that fits, and returns where the payload goes.
  @inlinable
  @inline(__always)
  mutating func open(_ tag: UInt8, _ key: LogKey, payload: Int) -> UnsafeMutablePointer<UInt8>? {
    guard unsafe slots.pointee == key.slot else {
      let opened = unsafe opening(tag, key, payload)
      self = unsafe opened.writer
      return unsafe opened.payload
    }
    let place = unsafe cursor + 1
    unsafe cursor.pointee = tag | SegmentTag.expected
    unsafe cursor = place + payload
    unsafe slots += 1
    return unsafe place
  }

  /// A segment whose payload is the 8 bytes of `bits`.
  @inlinable
  @inline(__always)
  mutating func word(_ tag: UInt8, _ key: LogKey, _ bits: UInt64) {
    guard unsafe slots.pointee == key.slot else {
      self = inFull(tag, key, bits)
      return
    }
    unsafe cursor.pointee = tag | SegmentTag.expected
    unsafe UnsafeMutableRawPointer(cursor + 1).storeBytes(of: bits.littleEndian, as: UInt64.self)
    unsafe cursor += 9
    unsafe slots += 1
  }

  /// A piece of the message's text as it stands in the source.
  @inlinable
  @inline(__always)
  mutating func literal(_ text: StaticString) {
    guard text.utf8CodeUnitCount > 0 else { return }
    if unsafe slots.pointee == UInt64(UInt(bitPattern: text.utf8Start)) {
      unsafe slots += 1
    } else {
      self = unsafe inFull(literal: text.utf8Start, text.utf8CodeUnitCount)
    }
  }

  /// A segment of bytes. What does not fit is cut.
  @inlinable
  @inline(__always)
  mutating func bytes(_ tag: UInt8, _ key: LogKey, _ bytes: UnsafeBufferPointer<UInt8>) {
    guard unsafe slots.pointee == key.slot, room >= 3 &+ bytes.count, bytes.count <= RecordLayout.longestPayload,
      let start = bytes.baseAddress
    else {
      self = unsafe inFull(tag, key, bytes)
      return
    }
    unsafe cursor.pointee = tag | SegmentTag.expected
    unsafe UnsafeMutableRawPointer(cursor + 1).storeBytes(
      of: UInt16(truncatingIfNeeded: bytes.count).littleEndian, as: UInt16.self)
    unsafe tr_copy_short(cursor + 3, start, bytes.count)
    unsafe cursor += 3 &+ bytes.count
    unsafe slots += 1
  }
}
