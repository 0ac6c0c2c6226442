import CTreeRing

/// One segment of a record, pointing into the bytes that are read. Three words, which travel in registers.
@unsafe
package struct Segment {
  private let keyStart: UnsafePointer<UInt8>?
  private let payloadStart: UnsafePointer<UInt8>
  /// From the lowest bit: tag and flags (8 bits each), bytes of the key (16), bytes of the payload (32).
  private let head: UInt64

  /// The segment is a field only.
  private static let fieldOnly: UInt64 = 1 << 8
  private static let keyPlain: UInt64 = 1 << 9
  private static let payloadPlain: UInt64 = 1 << 10

  @inline(__always)
  init(
    tag: UInt8, isFieldOnly: Bool, key: UnsafePointer<UInt8>?, _ keyCount: Int, isKeyPlain: Bool = false,
    payload: UnsafePointer<UInt8>, _ count: Int, isPayloadPlain: Bool = false
  ) {
    unsafe keyStart = key
    unsafe payloadStart = payload
    let field = unsafe isFieldOnly ? Self.fieldOnly : 0
    let plain = unsafe (isKeyPlain ? Self.keyPlain : 0) | (isPayloadPlain ? Self.payloadPlain : 0)
    unsafe head =
      UInt64(tag) | field | plain | UInt64(UInt16(truncatingIfNeeded: keyCount)) << 16
      | UInt64(UInt32(truncatingIfNeeded: count)) << 32
  }

  private init(keyStart: UnsafePointer<UInt8>?, payloadStart: UnsafePointer<UInt8>, head: UInt64) {
    unsafe self.keyStart = keyStart
    unsafe self.payloadStart = payloadStart
    unsafe self.head = head
  }

  /// The same value under another name.
  func named(_ key: UnsafeBufferPointer<UInt8>) -> Segment {
    let head = unsafe self.head & ~(0xFFFF << 16 | Self.keyPlain) | UInt64(UInt16(truncatingIfNeeded: key.count)) << 16
    return unsafe Segment(keyStart: key.baseAddress, payloadStart: payloadStart, head: head)
  }

  /// A text under the same name.
  func asText(_ text: UnsafeBufferPointer<UInt8>) -> Segment {
    unsafe Segment(
      tag: SegmentTag.string, isFieldOnly: isFieldOnly, key: keyStart, key.count, isKeyPlain: isKeyPlain,
      payload: text.baseAddress ?? payloadStart, text.count)
  }

  /// A ``SegmentTag`` without its top bits.
  @inline(__always)
  package var tag: UInt8 { unsafe UInt8(truncatingIfNeeded: head) }
  @inline(__always)
  package var isFieldOnly: Bool { unsafe head & Self.fieldOnly != 0 }
  /// The key comes from the call site's template, and needs no escape in any format.
  @inline(__always)
  var isKeyPlain: Bool { unsafe head & Self.keyPlain != 0 }
  /// The payload comes from the template, and needs no escape.
  @inline(__always)
  var isPayloadPlain: Bool { unsafe head & Self.payloadPlain != 0 }
  @inline(__always)
  package var key: UnsafeBufferPointer<UInt8> {
    unsafe UnsafeBufferPointer(start: keyStart, count: Int(head >> 16 & 0xFFFF))
  }
  @inline(__always)
  package var payload: UnsafeBufferPointer<UInt8> {
    unsafe UnsafeBufferPointer(start: payloadStart, count: Int(head >> 32))
  }

  /// The first 8 bytes of the payload, little-endian; the tags that call for it have exactly 8.
  @inline(__always)
  package var word: UInt64 {
    guard unsafe head >> 32 == 8 else { return 0 }
    return unsafe UInt64(littleEndian: UnsafeRawPointer(payloadStart).loadUnaligned(as: UInt64.self))
  }
}

/// Walks a record's segments, believing nothing: the bytes may be anything. It ends at the first segment that does not lie within the bytes,
/// whose tag is unknown, or whose payload has not the length that its tag calls for; ``isBroken`` then says so. What the record leaves out because its call site's
/// template knows it, the walk puts in: whoever reads sees no difference.
///
/// Every step of a batch of records goes through here, so what is called out of line is given values and not this walk: its own stay in registers.
///
/// Premise: the bytes do not change while they are read (a private copy, or a ring's records between tail and head), and the template lives. Of every unsafe line:
/// `at` lies `left` bytes before the end, bytes are read only after a look at how many are left, and `piece` is below `pieceCount` where a piece is read.
@unsafe
package struct SegmentReader {
  private var at: UnsafePointer<UInt8>
  /// Bytes not read yet.
  private var left: Int
  private let pieces: UnsafePointer<RecordTemplate.Piece>?
  private let pieceCount: Int
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
    unsafe self.pieces = pieces.baseAddress
    unsafe pieceCount = pieces.baseAddress == nil ? 0 : pieces.count
    if let start = bytes.baseAddress {
      unsafe at = start
      unsafe left = bytes.count
    } else {
      // Never read: nothing is left.
      unsafe at = UnsafePointer(tr_element())
      unsafe left = 0
    }
  }

  /// The next segment, or nil at the end.
  @inline(__always)
  package mutating func next() -> Segment? {
    while true {
      if unsafe piece < position, let literal = unsafe takeLiteralBeforePosition() { return unsafe literal }
      guard unsafe left > 0 else { return unsafe takeExpectedLiteral() }
      let head = unsafe at.pointee
      if head & SegmentTag.expected != 0 { return unsafe takeExpectedLiteral() ?? expected(head) }
      guard let segment = unsafe Self.inFull(at, left) else {
        unsafe isBroken = true
        return nil
      }
      unsafe skip(RecordLayout.segmentHeaderSize &+ segment.key.count &+ segment.payload.count)
      if unsafe segment.tag != SegmentTag.position { return unsafe segment }
      let told = unsafe UInt16(segment.payload[0]) | UInt16(segment.payload[1]) << 8
      unsafe position = Int(told & ~SegmentTag.endOfText)
      unsafe isTextOver = isTextOver || told & SegmentTag.endOfText != 0
    }
  }

  @inline(__always)
  private mutating func skip(_ count: Int) {
    unsafe at += count
    unsafe left &-= count
  }

  /// Steps over keys: their values are not in the record.
  @inline(__always)
  private mutating func takeLiteralBeforePosition() -> Segment? {
    while unsafe piece < position, unsafe piece < pieceCount {
      if let literal = unsafe takeLiteral() { return unsafe literal }
      unsafe piece &+= 1
    }
    return nil
  }

  /// A literal that the record passes over without a word.
  @inline(__always)
  private mutating func takeExpectedLiteral() -> Segment? {
    unsafe isTextOver ? nil : takeLiteral()
  }

  /// The next piece of the template, when it is a literal.
  @inline(__always)
  private mutating func takeLiteral() -> Segment? {
    guard let pieces = unsafe pieces, unsafe piece < pieceCount, unsafe !pieces[piece].isKey else { return nil }
    let literal = unsafe pieces + piece
    unsafe piece &+= 1
    return unsafe Segment(
      tag: SegmentTag.literal, isFieldOnly: false, key: nil, 0, payload: literal.pointee.start, literal.pointee.count,
      isPayloadPlain: literal.pointee.isPlain)
  }

  /// A value whose key is the template's next one.
  @inline(__always)
  private mutating func expected(_ head: UInt8) -> Segment? {
    let tag = head & 0x3F
    let size = unsafe Self.size(ofExpected: tag, at, left)
    guard size.before > 0, unsafe size.before &+ size.count <= left else {
      unsafe isBroken = true
      return nil
    }
    let payload = unsafe at + size.before
    unsafe skip(size.before &+ size.count)
    let isFieldOnly = head & SegmentTag.fieldOnly != 0
    guard let pieces = unsafe pieces, unsafe piece < pieceCount else {
      // A template that could not be found has no keys.
      return unsafe Segment(tag: tag, isFieldOnly: isFieldOnly, key: nil, 0, payload: payload, size.count)
    }
    let key = unsafe pieces + piece
    unsafe piece &+= 1
    return unsafe Segment(
      tag: tag, isFieldOnly: isFieldOnly, key: key.pointee.start, key.pointee.count,
      isKeyPlain: key.pointee.isKey && key.pointee.isPlain, payload: payload, size.count)
  }

  /// Bytes before the payload and in it; nothing before it: there is no such segment.
  @inline(__always)
  private static func size(
    ofExpected tag: UInt8, _ start: UnsafePointer<UInt8>, _ left: Int
  ) -> (before: Int, count: Int) {
    switch tag {
    case SegmentTag.string: unsafe left < 3 ? (0, 0) : (3, Int(start[1]) | Int(start[2]) << 8)
    case SegmentTag.int, SegmentTag.uint, SegmentTag.double, SegmentTag.duration: (1, 8)
    case SegmentTag.bool: (1, 1)
    case SegmentTag.null, SegmentTag.group, SegmentTag.array: (1, 0)
    default: (0, 0)
    }
  }

  /// A segment that says itself what it is; nil when there is none.
  @inline(never)
  private static func inFull(_ start: UnsafePointer<UInt8>, _ left: Int) -> Segment? {
    guard left >= RecordLayout.segmentHeaderSize else { return nil }
    let head = unsafe UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
    let keyCount = Int(head >> 8 & 0xFF)
    let count = Int(head >> 16)
    let tag = UInt8(truncatingIfNeeded: head) & 0x3F
    guard RecordLayout.segmentHeaderSize + keyCount + count <= left, unsafe isPlausible(tag, count) else {
      return nil
    }
    let key = unsafe start + RecordLayout.segmentHeaderSize
    return unsafe Segment(
      tag: tag, isFieldOnly: head & UInt32(SegmentTag.fieldOnly) != 0, key: key, keyCount, payload: key + keyCount,
      count)
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
      let end = unsafe bytes.count - reader.left
      if end > limit { break }
      fits = end
    }
    return fits
  }
}
