/// A record's fields one level deep, for formats that know no nesting: a member of a nested object is called `outer.inner`, a nested array is one string, its
/// JSON text.
///
/// It keeps buffers for names and arrays, so that a walk allocates nothing once they have grown.
@safe
final class FlatFields {
  private let path = OutputBuffer(capacity: 512)
  private let json = OutputBuffer(capacity: 512)
  /// How long `path` is outside of each open object.
  private var ends: [Int] = []

  /// Calls `body` for each field with a segment whose key is the whole name and whose payload is one value. Both are valid during the call only.
  ///
  /// - Parameter includingText: also the fields whose values stand in the text.
  @inline(__always)
  func forEach(of record: RecordView, includingText: Bool = true, _ body: (Segment) -> Void) {
    var reader = unsafe record.reader
    while let segment = unsafe reader.next() {
      if unsafe segment.key.count == 0 || !(includingText || segment.isFieldOnly) {
        if unsafe segment.opens { unsafe reader.skipNested() }
      } else if unsafe segment.opens {
        unsafe nested(segment, &reader, body)
      } else if unsafe segment.isValue {
        unsafe body(segment)
      }
    }
  }

  /// Deeper than a record may nest, members are told as the innermost object's.
  @inline(never)
  private func nested(_ opener: Segment, _ reader: inout SegmentReader, _ body: (Segment) -> Void) {
    path.removeAll()
    ends.removeAll(keepingCapacity: true)
    guard unsafe !array(opener, &reader, body) else { return }
    var ignored = 0
    unsafe enter(opener, &ignored)
    while !ends.isEmpty, let segment = unsafe reader.next() {
      if unsafe segment.tag == SegmentTag.end {
        if ignored > 0 { ignored -= 1 } else { path.truncate(to: ends.removeLast()) }
      } else if unsafe segment.opens || segment.isValue {
        if unsafe array(segment, &reader, body) { continue }
        if unsafe segment.opens { unsafe enter(segment, &ignored) } else { unsafe leaf(segment, body) }
      }
    }
  }

  private func enter(_ segment: Segment, _ ignored: inout Int) {
    guard ends.count < RecordLayout.deepestNesting else { return ignored += 1 }
    ends.append(path.count)
    unsafe append(segment.key)
  }

  private func append(_ name: UnsafeBufferPointer<UInt8>) {
    if path.count > 0, name.count > 0 { path.append(UInt8(ascii: ".")) }
    unsafe path.append(name)
  }

  private func leaf(_ segment: Segment, _ body: (Segment) -> Void) {
    let end = path.count
    unsafe append(segment.key)
    unsafe body(segment.named(path.bytes.assumingMemoryBound(to: UInt8.self)))
    path.truncate(to: end)
  }

  /// False when the segment opens no array.
  private func array(_ segment: Segment, _ reader: inout SegmentReader, _ body: (Segment) -> Void) -> Bool {
    guard unsafe segment.tag == SegmentTag.array else { return false }
    json.removeAll()
    unsafe JSONFields.append(segment, &reader, to: json)
    unsafe leaf(segment.asText(json.bytes.assumingMemoryBound(to: UInt8.self)), body)
    return true
  }
}

extension Segment {
  /// One value, neither text nor a bracket.
  fileprivate var isValue: Bool {
    switch unsafe tag {
    case SegmentTag.literal, SegmentTag.label, SegmentTag.group, SegmentTag.array, SegmentTag.end: false
    default: true
    }
  }
}
