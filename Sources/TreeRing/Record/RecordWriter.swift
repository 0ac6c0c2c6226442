public import CTreeRing

/// Writes a record's segments, in place: into the ring while a call is under way, or into a buffer of a stored message.
///
/// A cursor and a limit, held in registers: what is not inlined into a call takes the writer by value and returns it, because a writer whose address is
/// given away, if only on a rare path, lives in memory on every path. A segment that does not fit is cut (a string) or left out, and the writer is *full* from then on:
/// every further segment is ignored, and the end of the call decides between a truncated record and a drop. No call allocates, locks
/// or enters the kernel. Premise of every unsafe line: `cursor ... limit` is memory that only this writer writes, and
/// each store is preceded by the check in `open` or `room`.
@frozen
@safe
public struct RecordWriter {
  @usableFromInline var cursor: UnsafeMutablePointer<UInt8>?
  @usableFromInline var limit: UnsafeMutablePointer<UInt8>?

  @inlinable
  @inline(__always)
  init(cursor: UnsafeMutablePointer<UInt8>?, limit: UnsafeMutablePointer<UInt8>?) {
    unsafe self.cursor = cursor
    unsafe self.limit = limit
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

  /// Writes a segment's header and key when these and `payload` bytes fit, and returns where the payload goes.
  @inlinable
  @inline(__always)
  mutating func open(_ tag: UInt8, _ key: LogKey, payload: Int) -> UnsafeMutablePointer<UInt8>? {
    let keyCount = key.count <= RecordLayout.longestKey ? key.count : RecordLayout.longestKey
    guard let at = unsafe cursor, room >= RecordLayout.segmentHeaderSize &+ keyCount &+ payload else {
      fill()
      return nil
    }
    let head = UInt32(tag) | UInt32(truncatingIfNeeded: keyCount) << 8 | UInt32(truncatingIfNeeded: payload) << 16
    unsafe UnsafeMutableRawPointer(at).storeBytes(of: head.littleEndian, as: UInt32.self)
    let name = unsafe at + RecordLayout.segmentHeaderSize
    unsafe tr_copy_short(name, key.start, keyCount)
    unsafe cursor = name + (keyCount &+ payload)
    return unsafe name + keyCount
  }

  /// A segment whose payload is the 8 bytes of `bits`.
  @inlinable
  @inline(__always)
  mutating func word(_ tag: UInt8, _ key: LogKey, _ bits: UInt64) {
    guard let payload = unsafe open(tag, key, payload: 8) else { return }
    unsafe UnsafeMutableRawPointer(payload).storeBytes(of: bits.littleEndian, as: UInt64.self)
  }

  /// A piece of the message's text as it stands in the source. Its length is a constant, so the copy is a few moves.
  @inlinable
  @inline(__always)
  mutating func literal(_ text: StaticString) {
    let count = text.utf8CodeUnitCount
    guard count > 0 else { return }
    if count <= RecordLayout.longestPayload, let payload = unsafe open(SegmentTag.literal, .none, payload: count) {
      unsafe tr_copy(payload, text.utf8Start, count)
    } else {
      fill()
    }
  }

  /// A segment of bytes. What does not fit is cut.
  @inlinable
  @inline(__always)
  mutating func bytes(_ tag: UInt8, _ key: LogKey, _ bytes: UnsafeBufferPointer<UInt8>) {
    let needed = RecordLayout.segmentHeaderSize &+ RecordLayout.longestKey &+ bytes.count
    guard room >= needed, bytes.count <= RecordLayout.longestPayload, let start = bytes.baseAddress,
      let payload = unsafe open(tag, key, payload: bytes.count)
    else {
      self = unsafe cutting(tag, key, bytes)
      return
    }
    unsafe tr_copy_short(payload, start, bytes.count)
  }

  /// The rare half of `bytes`: no bytes, few bytes left, or too many. Cuts where a character begins.
  @usableFromInline
  @inline(never)
  func cutting(_ tag: UInt8, _ key: LogKey, _ bytes: UnsafeBufferPointer<UInt8>) -> RecordWriter {
    guard !isFull else { return self }
    var writer = self
    var fits = min(
      bytes.count, RecordLayout.longestPayload,
      room - RecordLayout.segmentHeaderSize - min(key.count, RecordLayout.longestKey))
    while fits > 0, fits < bytes.count, unsafe bytes[fits] & 0xC0 == 0x80 { fits -= 1 }
    guard fits >= 0, let payload = unsafe writer.open(tag, key, payload: fits) else {
      writer.fill()
      return writer
    }
    if let start = bytes.baseAddress { unsafe tr_copy(payload, start, fits) }
    if fits < bytes.count { writer.fill() }
    return writer
  }
}
