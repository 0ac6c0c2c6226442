/// The text of a message: a walk over the segments that stand in it, the same for every format; only the escape differs.
enum MessageText {
  /// Appends bytes in the way of a format. It captures nothing: whatever a closure holds on to is counted for each value.
  typealias Append = (OutputBuffer, UnsafeBufferPointer<UInt8>) -> Void

  /// What the walk has seen beside the text.
  struct Seen {
    /// Fields that stand outside the text.
    var hasFields = false
    /// Fields whose names do not come from the call site's template.
    var hasOwnNames = false
  }

  /// Appends the text. Nested values stand in brackets, their members divided by commas, named where they have names: `[1, 2]`, `[id: 7, city: Rome]`.
  ///
  /// - Parameter escape: appends bytes; brackets, commas, numbers, blanks and what is known to be plain need none in any format.
  @inline(__always)
  @discardableResult
  static func append(_ record: RecordView, to output: OutputBuffer, escape: Append) -> Seen {
    var reader = unsafe record.reader
    var seen = Seen()
    var depth = 0
    var isFirst = true
    while let segment = unsafe reader.next() {
      if unsafe segment.key.count > 0, unsafe !segment.isKeyPlain { seen.hasOwnNames = true }
      if unsafe segment.isFieldOnly || segment.tag == SegmentTag.label {
        if unsafe segment.isFieldOnly { seen.hasFields = true }
        continue
      }
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
    return seen
  }

  /// What stands before a member of a nested value.
  @inline(__always)
  private static func member(_ segment: Segment, isFirst: Bool, to output: OutputBuffer, escape: Append) {
    if !isFirst { output.append(", ") }
    if unsafe segment.key.count > 0 {
      unsafe escape(output, segment.key)
      output.append(": ")
    }
  }
}
