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
/// whose tag is unknown, or whose payload has not the length that its tag calls for; ``isBroken`` then says so. What the record leaves out because its call site's
/// template knows it, the walk puts in: whoever reads sees no difference.
///
/// Premise: the bytes do not change while they are read (a private copy, or a ring's records between tail and head), and the template lives.
@unsafe
package struct SegmentReader {
  private var rest: UnsafeBufferPointer<UInt8>
  private let pieces: UnsafeBufferPointer<RecordTemplate.Piece>
  /// The next piece of the template.
  private var piece = 0
  /// The literals before this piece stand before the next segment.
  private var position = 0
  /// No literal comes from the template any more.
  private var isTextOver = false
  package private(set) var isBroken = false

  package init(
    _ bytes: UnsafeBufferPointer<UInt8>,
    _ pieces: UnsafeBufferPointer<RecordTemplate.Piece> = unsafe UnsafeBufferPointer(start: nil, count: 0)
  ) {
    unsafe rest = bytes
    unsafe self.pieces = pieces
  }

  /// The next segment, or nil at the end.
  package mutating func next() -> Segment? {
    while true {
      while unsafe piece < position, unsafe piece < pieces.count {
        if let literal = unsafe takeLiteral() { return unsafe literal }
        unsafe piece += 1
      }
      guard let start = unsafe rest.baseAddress, unsafe rest.count > 0 else { return unsafe takeExpectedLiteral() }
      if unsafe start.pointee & SegmentTag.expected != 0 {
        return unsafe takeExpectedLiteral() ?? expected(start)
      }
      guard let segment = unsafe inFull(start) else { return nil }
      guard unsafe segment.tag == SegmentTag.position else { return unsafe segment }
      let told = unsafe UInt16(segment.payload[0]) | UInt16(segment.payload[1]) << 8
      unsafe position = Int(told & ~SegmentTag.endOfText)
      unsafe isTextOver = isTextOver || told & SegmentTag.endOfText != 0
    }
  }

  /// A literal that the record passes over without a word.
  private mutating func takeExpectedLiteral() -> Segment? {
    unsafe isTextOver ? nil : takeLiteral()
  }

  /// The next piece of the template, when it is a literal.
  private mutating func takeLiteral() -> Segment? {
    guard unsafe piece < pieces.count, unsafe !pieces[piece].isKey else { return nil }
    defer { unsafe piece += 1 }
    let none = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    return unsafe Segment(tag: SegmentTag.literal, isFieldOnly: false, key: none, payload: pieces[piece].text)
  }

  /// A value whose key is the template's next one.
  private mutating func expected(_ start: UnsafePointer<UInt8>) -> Segment? {
    let tag = unsafe start.pointee & 0x3F
    guard let size = unsafe Self.size(ofExpected: tag, rest), unsafe size.before + size.count <= rest.count else {
      unsafe isBroken = true
      return nil
    }
    // A template that could not be found has no keys.
    var key = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    if unsafe piece < pieces.count { unsafe key = pieces[piece].text }
    unsafe piece += 1
    let isFieldOnly = unsafe start.pointee & SegmentTag.fieldOnly != 0
    let payload = unsafe UnsafeBufferPointer(start: start + size.before, count: size.count)
    unsafe skip(size.before + size.count)
    return unsafe Segment(tag: tag, isFieldOnly: isFieldOnly, key: key, payload: payload)
  }

  private static func size(ofExpected tag: UInt8, _ rest: UnsafeBufferPointer<UInt8>) -> (before: Int, count: Int)? {
    switch tag {
    case SegmentTag.string: unsafe rest.count < 3 ? nil : (3, Int(rest[1]) | Int(rest[2]) << 8)
    case SegmentTag.int, SegmentTag.uint, SegmentTag.double, SegmentTag.duration: (1, 8)
    case SegmentTag.bool: (1, 1)
    case SegmentTag.null, SegmentTag.group, SegmentTag.array: (1, 0)
    default: nil
    }
  }

  /// A segment that says itself what it is.
  private mutating func inFull(_ start: UnsafePointer<UInt8>) -> Segment? {
    guard unsafe rest.count >= RecordLayout.segmentHeaderSize else {
      unsafe isBroken = true
      return nil
    }
    let head = unsafe UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
    let keyCount = Int(head >> 8 & 0xFF)
    let count = Int(head >> 16)
    let total = RecordLayout.segmentHeaderSize + keyCount + count
    let tag = UInt8(truncatingIfNeeded: head) & 0x3F
    guard unsafe total <= rest.count, unsafe Self.isPlausible(tag, count) else {
      unsafe isBroken = true
      return nil
    }
    let key = unsafe start + RecordLayout.segmentHeaderSize
    unsafe skip(total)
    return unsafe Segment(
      tag: tag, isFieldOnly: head & UInt32(SegmentTag.fieldOnly) != 0,
      key: UnsafeBufferPointer(start: key, count: keyCount),
      payload: UnsafeBufferPointer(start: key + keyCount, count: count))
  }

  private mutating func skip(_ count: Int) {
    unsafe rest = UnsafeBufferPointer(rebasing: rest[count...])
  }

  private static func isPlausible(_ tag: UInt8, _ count: Int) -> Bool {
    switch tag {
    case SegmentTag.literal, SegmentTag.string, SegmentTag.label: true
    case SegmentTag.int, SegmentTag.uint, SegmentTag.double, SegmentTag.duration: count == 8
    case SegmentTag.bool: count == 1
    case SegmentTag.position: count == 2
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
