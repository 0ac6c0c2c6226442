/// Single values as they stand in a message's text.
enum ValueText {
  /// Appends a value's text; bytes go through `escape`, unless they are known to be plain. Of a nested value only the bracket that the segment stands for.
  @inline(__always)
  static func append(_ segment: Segment, to output: OutputBuffer, escape: MessageText.Append) {
    switch unsafe segment.tag {
    case SegmentTag.literal, SegmentTag.string:
      if unsafe segment.isPayloadPlain {
        unsafe output.append(segment.payload)
      } else {
        unsafe escape(output, segment.payload)
      }
    case SegmentTag.int: unsafe output.append(Int64(bitPattern: segment.word))
    case SegmentTag.uint: unsafe output.append(segment.word)
    case SegmentTag.double: unsafe output.append(Double(bitPattern: segment.word))
    case SegmentTag.bool: output.append(unsafe segment.payload[0] != 0 ? "true" : "false")
    case SegmentTag.duration:
      unsafe appendSeconds(Int64(bitPattern: segment.word), to: output)
      output.append(" s")
    case SegmentTag.group, SegmentTag.array: output.append("[")
    case SegmentTag.end: output.append("]")
    default: output.append("null")
    }
  }

  /// Nanoseconds as decimal seconds, exactly, without trailing zeros.
  static func appendSeconds(_ nanoseconds: Int64, to output: OutputBuffer) {
    if nanoseconds < 0 { output.append(UInt8(ascii: "-")) }
    let magnitude = nanoseconds.magnitude
    output.append(magnitude / 1_000_000_000)
    var fraction = magnitude % 1_000_000_000
    guard fraction > 0 else { return }
    var width = 9
    while fraction % 10 == 0 {
      fraction /= 10
      width -= 1
    }
    output.append(UInt8(ascii: "."))
    output.append(fraction, width: width)
  }
}
