extension RecordedLog {
  /// Copies a record out of the bytes it was read from. Any bytes; what is broken ends the record. Allocates.
  ///
  /// - Parameter keepsTemplate: whether ``template`` is put together, too.
  init(_ record: RecordView, _ context: RecordContext, keepsTemplate: Bool = true) {
    unsafe self.init(
      nanosecondsSince1970: context.time, level: record.level, label: Self.label(of: record, context),
      isDebugChannel: record.isChannel, message: Self.message(of: record), fields: Self.fields(of: record),
      isTruncated: record.isTruncated)
    if keepsTemplate { template = unsafe Self.template(of: record) }
  }

  private static func label(of record: RecordView, _ context: RecordContext) -> String {
    if let label = unsafe context.label { return unsafe String(decoding: label, as: UTF8.self) }
    var text = ""
    unsafe record.withCarriedLabel { unsafe text = String(decoding: $0, as: UTF8.self) }
    return text
  }

  /// The text, with its values in their places.
  static func message(of record: RecordView) -> String {
    let output = OutputBuffer(capacity: 128)
    unsafe MessageText.append(record, to: output) { unsafe $0.append($1) }
    return unsafe String(decoding: output.bytes, as: UTF8.self)
  }

  /// ``template``, put together from the pieces of the text, whether the record has them or its call site does.
  static func template(of record: RecordView) -> String? {
    var template = ""
    var hasLiteral = false
    var depth = 0
    var reader = unsafe record.reader
    while let segment = unsafe reader.next() {
      if unsafe segment.tag == SegmentTag.end { depth -= 1 }
      if unsafe depth == 0 && segment.tag == SegmentTag.literal {
        unsafe template += segment.payload.text
        hasLiteral = true
      } else if unsafe depth == 0 && segment.isInText {
        unsafe template += "{\(segment.key.text)}"
      }
      if unsafe segment.opens { depth += 1 }
    }
    return hasLiteral ? template : nil
  }

  private static func fields(of record: RecordView) -> [Field] {
    var fields: [Field] = []
    var reader = unsafe record.reader
    while let segment = unsafe reader.next() {
      let isValue = unsafe segment.tag != SegmentTag.literal && segment.tag != SegmentTag.label
      guard isValue, unsafe segment.tag != SegmentTag.end else { continue }
      let value = unsafe RecordedValue(segment, &reader, depth: 0)
      // A value without a name is part of the text alone.
      if unsafe segment.key.count > 0 {
        unsafe fields.append(
          Field(key: segment.key.text, value: value, isInMessage: !segment.isFieldOnly))
      }
    }
    return fields
  }
}

extension RecordedValue {
  /// The value that a segment holds, or opens: then its members are taken from `reader`, up to their end.
  fileprivate init(_ segment: Segment, _ reader: inout SegmentReader, depth: Int) {
    switch unsafe segment.tag {
    case SegmentTag.int: self = unsafe .integer(Int128(Int64(bitPattern: segment.word)))
    case SegmentTag.uint: self = unsafe .integer(Int128(segment.word))
    case SegmentTag.double: self = unsafe .double(Double(bitPattern: segment.word))
    case SegmentTag.bool: self = unsafe .bool(segment.payload[0] != 0)
    case SegmentTag.null: self = .null
    case SegmentTag.duration: self = unsafe .duration(.nanoseconds(Int64(bitPattern: segment.word)))
    case SegmentTag.array: self = unsafe .array(Self.members(of: &reader, depth: depth + 1).map(\.value))
    case SegmentTag.group:
      self = unsafe .object(
        Dictionary(Self.members(of: &reader, depth: depth + 1).map { ($0.key, $0.value) }) { _, last in last })
    default: self = unsafe .string(segment.payload.text)
    }
  }

  /// What stands between an opening and its end. What is nested deeper than a record may nest is stepped over.
  private static func members(of reader: inout SegmentReader, depth: Int) -> [(key: String, value: RecordedValue)] {
    var members: [(key: String, value: RecordedValue)] = []
    while let segment = unsafe reader.next() {
      if unsafe segment.tag == SegmentTag.end { return members }
      if depth > RecordLayout.deepestNesting {
        if unsafe segment.opens { unsafe skip(&reader) }
        continue
      }
      unsafe members.append((segment.key.text, RecordedValue(segment, &reader, depth: depth)))
    }
    return members
  }

  private static func skip(_ reader: inout SegmentReader) {
    var depth = 1
    while depth > 0, let segment = unsafe reader.next() {
      if unsafe segment.tag == SegmentTag.end { depth -= 1 } else if unsafe segment.opens { depth += 1 }
    }
  }
}

extension Segment {
  /// Whether it is a value that the text has.
  fileprivate var isInText: Bool { unsafe !isFieldOnly && tag != SegmentTag.end && tag != SegmentTag.label }
}

extension UnsafeBufferPointer<UInt8> {
  /// The bytes as a string; what is no UTF-8 becomes U+FFFD. Allocates.
  fileprivate var text: String { unsafe String(decoding: self, as: UTF8.self) }
}
