extension Segment {
  /// Whether members follow, up to an `end`.
  var opens: Bool { unsafe tag == SegmentTag.group || tag == SegmentTag.array }
}

extension RecordView {
  /// The label that the record carries itself; empty when it carries none.
  func withCarriedLabel(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    var reader = unsafe reader
    guard let first = unsafe reader.next(), unsafe first.tag == SegmentTag.label else { return }
    unsafe body(first.payload)
  }
}

extension SegmentReader {
  /// Goes behind the end of the nested value that the last segment opened.
  mutating func skipNested() {
    var depth = 1
    while depth > 0, let segment = unsafe next() {
      if unsafe segment.tag == SegmentTag.end { depth -= 1 } else if unsafe segment.opens { depth += 1 }
    }
  }
}

extension RecordView {
  /// The label: as the label table has it, or the one that the record carries itself; empty when there is none.
  @inline(__always)
  func withLabel(_ context: RecordContext, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    if let label = unsafe context.label {
      unsafe body(label.assumingMemoryBound(to: UInt8.self))
    } else {
      unsafe withCarriedLabel(body)
    }
  }
}
