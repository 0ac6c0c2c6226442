/// A record's text and fields, as the JSON formats have them: first `appendText`, then `appendFields` of the same record.
///
/// Most records hold values that are not nested, under names that need no look (``RecordTemplate/areNamesSettled``). Those take one walk: a number or a string stands
/// in the text exactly as in the field, so it is spelled once, and copied; the fields wait in a buffer of their own until the text has ended. A record with anything
/// else in it is left to ``MessageText`` and ``JSONFields``.
@safe
final class JSONBody {
  private let members = OutputBuffer(capacity: 1024)
  private let fields: JSONFields
  /// What the general walk over the text has seen; nil: `members` has the fields.
  private var seen: MessageText.Seen?

  /// - Parameter reserved: the names that the object has already.
  init(reserving reserved: NameSet.Reserved) { fields = JSONFields(reserving: reserved) }

  /// Appends the text as the inside of a JSON string.
  func appendText(of record: RecordView, to output: OutputBuffer) {
    let isFlat = unsafe appendFlat(record, to: output)
    seen = isFlat ? nil : unsafe MessageText.append(record, to: output) { unsafe $0.appendJSONEscaped($1) }
  }

  /// Appends a comma and a member for each field. False when some field was left out, because names were repeated, or there were more, than anybody can mean.
  func appendFields(of record: RecordView, to output: OutputBuffer) -> Bool {
    if let seen { return unsafe fields.append(record, seen, to: output) }
    output.append(members, from: 0)
    return true
  }

  /// Appends the text, and keeps the fields. False when the record is not so simple; then nothing is appended.
  private func appendFlat(_ record: RecordView, to output: OutputBuffer) -> Bool {
    guard unsafe record.areNamesSettled else { return false }
    members.removeAll()
    let start = output.count
    var reader = unsafe record.reader
    while let segment = unsafe reader.next() {
      if unsafe segment.isPayloadPlain {
        unsafe output.append(segment.payload)
      } else if unsafe !appendValue(segment, to: output) {
        output.truncate(to: start)
        return false
      }
    }
    return true
  }

  /// False when it is nested, or its name is the record's own.
  @inline(__always)
  private func appendValue(_ segment: Segment, to output: OutputBuffer) -> Bool {
    let hasName = unsafe segment.key.count > 0
    guard unsafe !segment.isNesting, unsafe !hasName || segment.isKeyPlain else { return false }
    if unsafe segment.tag == SegmentTag.label { return true }
    if hasName { unsafe appendName(segment.key) }
    if unsafe segment.isFieldOnly {
      if hasName { unsafe appendMember(segment) }
      return true
    }
    let start = output.count
    unsafe ValueText.append(segment, to: output) { unsafe $0.appendJSONEscaped($1) }
    if hasName { unsafe repeatMember(segment, from: start, in: output) }
    return true
  }

  @inline(__always)
  private func appendName(_ name: UnsafeBufferPointer<UInt8>) {
    members.append(",\"")
    unsafe members.append(name)
    members.append("\":")
  }

  /// A field that stands in the text, too, from `start` on.
  @inline(__always)
  private func repeatMember(_ segment: Segment, from start: Int, in output: OutputBuffer) {
    switch unsafe segment.tag {
    case SegmentTag.string:
      members.append("\"")
      members.append(output, from: start)
      members.append("\"")
    // A text has a unit behind a duration, and no quotes around what is no number.
    case SegmentTag.duration: unsafe appendMember(segment)
    case SegmentTag.double where unsafe !Double(bitPattern: segment.word).isFinite: unsafe appendMember(segment)
    default: members.append(output, from: start)
    }
  }

  @inline(never)
  private func appendMember(_ segment: Segment) { unsafe JSONFields.appendScalar(segment, to: members) }
}

extension Segment {
  /// Whether it opens or closes a nested value.
  fileprivate var isNesting: Bool { unsafe opens || tag == SegmentTag.end }
}
