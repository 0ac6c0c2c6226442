/// One segment of a record, pointing into the bytes that are read.
@unsafe
package struct Segment {
  /// A ``SegmentTag`` without its top bit.
  package let tag: UInt8
  package let isFieldOnly: Bool
  package let key: UnsafeBufferPointer<UInt8>
  package let payload: UnsafeBufferPointer<UInt8>

  /// The first 8 bytes of the payload, little-endian; the tags that call for it have exactly 8.
  package var word: UInt64 {
    guard unsafe payload.count == 8, let start = unsafe payload.baseAddress else { return 0 }
    return unsafe UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
  }
}

/// Walks a record's segments, believing nothing: the bytes may be anything. It ends at the first segment that does not lie within the bytes,
/// whose tag is unknown, or whose payload has not the length that its tag calls for; ``isBroken`` then says so.
///
/// Premise: the bytes do not change while they are read (a private copy, or a ring's records between tail and head).
@unsafe
package struct SegmentReader {
  private var rest: UnsafeBufferPointer<UInt8>
  package private(set) var isBroken = false

  package init(_ bytes: UnsafeBufferPointer<UInt8>) { unsafe rest = bytes }

  /// The next segment, or nil at the end.
  package mutating func next() -> Segment? {
    guard unsafe rest.count >= RecordLayout.segmentHeaderSize, let start = unsafe rest.baseAddress else {
      if unsafe rest.count > 0 { unsafe isBroken = true }
      return nil
    }
    let head = unsafe UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
    let keyCount = Int(head >> 8 & 0xFF)
    let count = Int(head >> 16)
    let total = RecordLayout.segmentHeaderSize + keyCount + count
    let tag = UInt8(truncatingIfNeeded: head)
    guard unsafe total <= rest.count, unsafe Self.isPlausible(tag & 0x7F, count) else {
      unsafe isBroken = true
      return nil
    }
    let key = unsafe start + RecordLayout.segmentHeaderSize
    unsafe rest = UnsafeBufferPointer(start: start + total, count: rest.count - total)
    return unsafe Segment(
      tag: tag & 0x7F, isFieldOnly: tag & SegmentTag.fieldOnly != 0,
      key: UnsafeBufferPointer(start: key, count: keyCount),
      payload: UnsafeBufferPointer(start: key + keyCount, count: count))
  }

  private static func isPlausible(_ tag: UInt8, _ count: Int) -> Bool {
    switch tag {
    case SegmentTag.literal, SegmentTag.string, SegmentTag.label: true
    case SegmentTag.int, SegmentTag.uint, SegmentTag.double, SegmentTag.duration: count == 8
    case SegmentTag.bool: count == 1
    case SegmentTag.null, SegmentTag.group, SegmentTag.array, SegmentTag.end: count == 0
    default: false
    }
  }

  /// Bytes of the segments, from the first, that fit whole into `limit`.
  static func wholeSegments(in bytes: UnsafeBufferPointer<UInt8>, atMost limit: Int) -> Int {
    var reader = unsafe SegmentReader(bytes)
    var fits = 0
    while unsafe reader.next() != nil {
      let end = unsafe bytes.count - reader.rest.count
      if end > limit { break }
      fits = end
    }
    return fits
  }
}
