/// Fields that a child logger or a task adds to each of its records, encoded.
@usableFromInline
final class LogContext: Sendable {
  @usableFromInline let segments: [UInt8]
  /// Set in the loggers of a ``LogRecorder``: only the slow side of a gate looks at it.
  let recording: Recording?
  /// Set in the context of a task that numbers its records.
  let number: TaskNumber?

  init(_ segments: [UInt8], recording: Recording? = nil, number: TaskNumber? = nil) {
    self.segments = segments
    self.recording = recording
    self.number = number
  }
}

extension [UInt8] {
  /// These fields, without the ones that `fields` names, and then `fields`.
  func replacing(_ fields: (inout LogFields) -> Void) -> [UInt8] {
    var added: [UInt8] = []
    added.appendSegments(atMost: 512) { writer in
      var collected = LogFields(writer)
      fields(&collected)
      writer = collected.writer
    }
    let names = Set(added.fields.map(\.name))
    return self.fields.filter { !names.contains($0.name) }.flatMap { self[$0.bytes] } + added
  }

  /// The fields that are encoded here, each with its nested members.
  private var fields: [(name: [UInt8], bytes: Range<Int>)] {
    var fields: [(name: [UInt8], bytes: Range<Int>)] = []
    unsafe withUnsafeBufferPointer { buffer in
      var reader = unsafe SegmentReader(buffer)
      var (depth, end) = (0, 0)
      while let segment = unsafe reader.next() {
        let start = end
        unsafe end += RecordLayout.segmentHeaderSize + segment.key.count + segment.payload.count
        let closes = unsafe segment.tag == SegmentTag.end
        if depth == 0, !closes {
          unsafe fields.append((Array(segment.key), start..<end))
        } else if let last = fields.indices.last {
          fields[last].bytes = fields[last].bytes.lowerBound..<end
        }
        if closes { depth = Swift.max(depth - 1, 0) } else if unsafe segment.opens { depth += 1 }
      }
    }
    return fields
  }
}
