/// The values of a record that goes by its call site's plan, one behind the other, believing nothing: whatever is not as it is expected is left to ``SegmentReader``,
/// which knows all that a record may hold.
///
/// Premise of every unsafe line: the bytes do not change while they are read; bytes are read only after a look at how many are left.
@unsafe
struct PlannedValues {
  private var at: UnsafePointer<UInt8>
  private var left: Int

  @inline(__always)
  init(start: UnsafePointer<UInt8>, count: Int) {
    unsafe at = start
    unsafe left = count
  }

  @inline(__always)
  var isAtEnd: Bool { unsafe left == 0 }

  /// Bytes of a value behind its tag, four bits for each tag; 15: no such value is expected, or it is nested.
  private static let sizes: UInt64 = 0xFFFF_FFF8_0188_80FF

  /// The next value. Nil when it is another than a site expects, or nested, or not whole.
  @inline(__always)
  mutating func next() -> PlannedValue? {
    guard unsafe left > 0 else { return nil }
    let head = unsafe at.pointee
    let tag = head & ~SegmentTag.fieldOnly ^ SegmentTag.expected
    guard tag < 16 else { return nil }
    var before = 1
    var count = unsafe Int(Self.sizes &>> UInt64(tag &* 4) & 15)
    if tag == SegmentTag.string {
      guard unsafe left >= 3 else { return nil }
      before = 3
      count = unsafe Int(UInt16(littleEndian: UnsafeRawPointer(at + 1).loadUnaligned(as: UInt16.self)))
    } else if count == 15 {
      return nil
    }
    guard unsafe before &+ count <= left else { return nil }
    let value = unsafe PlannedValue(head: head, start: at + before, count: count)
    unsafe at += before &+ count
    unsafe left &-= before &+ count
    return unsafe value
  }
}

/// One of them: a number, a text, true or false, null.
@unsafe
struct PlannedValue {
  private let head: UInt8
  let start: UnsafePointer<UInt8>
  let count: Int

  fileprivate init(head: UInt8, start: UnsafePointer<UInt8>, count: Int) {
    unsafe self.head = head
    unsafe self.start = start
    unsafe self.count = count
  }

  @inline(__always)
  var tag: UInt8 { unsafe head & 0x3F }
  @inline(__always)
  var isFieldOnly: Bool { unsafe head & SegmentTag.fieldOnly != 0 }
  /// Of a value with eight bytes.
  @inline(__always)
  var word: UInt64 { unsafe UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self)) }
  @inline(__always)
  var isTrue: Bool { unsafe start.pointee != 0 }
  /// For the general way.
  var segment: Segment {
    unsafe Segment(tag: tag, isFieldOnly: isFieldOnly, key: nil, 0, payload: start, count)
  }
}

extension OutputCursor {
  /// Appends a value other than a text, as it stands in a text and in JSON. False, and nothing appended, when the two differ, or it takes the long way.
  @inline(__always)
  mutating func append(_ value: PlannedValue) -> Bool {
    switch unsafe value.tag {
    case SegmentTag.int: unsafe append(Int64(bitPattern: value.word))
    case SegmentTag.uint: unsafe append(value.word)
    case SegmentTag.double: return unsafe append(Double(bitPattern: value.word))
    case SegmentTag.bool: unsafe value.isTrue ? append("true") : append("false")
    case SegmentTag.null: unsafe append("null")
    default: return false
    }
    return true
  }
}
