/// The text of a message: a walk over the segments that stand in it, the same for every format; only the escape differs.
enum MessageText {
  /// Appends the text. Nested values stand in brackets, their members divided by commas, named where they have names: `[1, 2]`, `[id: 7, city: Rome]`.
  ///
  /// - Parameter escape: appends bytes in the way of the format; brackets, commas, numbers and blanks need none in any.
  @inline(__always)
  static func append(_ record: RecordView, to output: OutputBuffer, escape: (UnsafeBufferPointer<UInt8>) -> Void) {
    var reader = unsafe record.reader
    var depth = 0
    var isFirst = true
    while let segment = unsafe reader.next() {
      if unsafe segment.isFieldOnly || segment.tag == SegmentTag.label { continue }
      if unsafe segment.tag == SegmentTag.end {
        // One that closes nothing was written by nobody who logs.
        if depth > 0 { output.append("]") }
        depth = max(depth - 1, 0)
        isFirst = false
        continue
      }
      if depth > 0 { unsafe member(segment, isFirst: isFirst, to: output, escape: escape) }
      unsafe ValueText.append(segment, to: output, escape: escape)
      isFirst = unsafe segment.opens
      if isFirst { depth += 1 }
    }
  }

  /// What stands before a member of a nested value.
  @inline(__always)
  private static func member(
    _ segment: Segment, isFirst: Bool, to output: OutputBuffer, escape: (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    if !isFirst { output.append(", ") }
    if unsafe segment.key.count > 0 {
      unsafe escape(segment.key)
      output.append(": ")
    }
  }
}
