/// The fields of a record as members of a JSON object that has been begun.
final class JSONFields {
  private let names: NameSet

  /// - Parameter reserved: the names that the object has already.
  init(reserving reserved: NameSet.Reserved) { names = NameSet(reserving: reserved) }

  /// Appends a comma and a member for each. False when some field was left out, because names were repeated, or there were more, than anybody can mean.
  ///
  /// - Parameter seen: what the walk over the text has seen.
  func append(_ record: RecordView, _ seen: MessageText.Seen, to output: OutputBuffer) -> Bool {
    let isSettled = unsafe record.areNamesSettled && !seen.hasOwnNames
    var reader = unsafe record.reader
    var nesting = Nesting()
    var isWhole = true
    names.removeAll(allowingPID: unsafe record.isAboutOther)
    while let segment = unsafe reader.next() {
      switch unsafe segment.tag {
      case SegmentTag.literal, SegmentTag.label: continue
      case SegmentTag.end:
        _ = close(&nesting, output)
        continue
      default: break
      }
      if nesting.isEmpty, unsafe segment.key.count == 0 {
        if unsafe segment.opens { unsafe reader.skipNested() }
        continue
      }
      let before = output.count
      nesting.separate(output)
      if isSettled, unsafe segment.isKeyPlain {
        if !nesting.isInArray { unsafe settledKey(segment.key, to: output) }
      } else if !nesting.isInArray, unsafe !key(segment.key, to: output) {
        output.truncate(to: before)
        isWhole = false
        if unsafe segment.opens { unsafe reader.skipNested() }
        continue
      }
      let depth = nesting.depth
      unsafe Self.value(segment, &nesting, to: output)
      if nesting.depth > depth { names.enter() }
    }
    while close(&nesting, output) {}
    return isWhole
  }

  /// False when nothing is open.
  private func close(_ nesting: inout Nesting, _ output: OutputBuffer) -> Bool {
    let depth = nesting.depth
    guard let end = nesting.pop() else { return false }
    if nesting.depth < depth { names.leave() }
    output.append(end)
    return true
  }

  /// Appends the nested value that `opener` opens, to its end, as one JSON value.
  static func append(_ opener: Segment, _ reader: inout SegmentReader, to output: OutputBuffer) {
    var nesting = Nesting()
    unsafe value(opener, &nesting, to: output)
    while !nesting.isEmpty, let segment = unsafe reader.next() {
      switch unsafe segment.tag {
      case SegmentTag.literal, SegmentTag.label: continue
      case SegmentTag.end:
        if let close = nesting.pop() { output.append(close) }
        continue
      default: break
      }
      nesting.separate(output)
      if !nesting.isInArray {
        output.append("\"")
        unsafe output.appendJSONEscaped(segment.key)
        output.append("\":")
      }
      unsafe value(segment, &nesting, to: output)
    }
    while let close = nesting.pop() { output.append(close) }
  }

  /// A name that is known to be free.
  @inline(__always)
  private func settledKey(_ key: UnsafeBufferPointer<UInt8>, to output: OutputBuffer) {
    output.append("\"")
    unsafe output.append(key)
    output.append("\":")
  }

  /// False when no name can be found for it; then the caller takes back what was written.
  private func key(_ key: UnsafeBufferPointer<UInt8>, to output: OutputBuffer) -> Bool {
    output.append("\"")
    let start = output.count
    unsafe output.appendJSONEscaped(key)
    guard names.settle(from: start, in: output) else { return false }
    output.append("\":")
    return true
  }

  private static func value(_ segment: Segment, _ nesting: inout Nesting, to output: OutputBuffer) {
    switch unsafe segment.tag {
    case SegmentTag.group:
      output.append("{")
      nesting.push(isArray: false, output)
    case SegmentTag.array:
      output.append("[")
      nesting.push(isArray: true, output)
    default: unsafe appendScalar(segment, to: output)
    }
  }

  /// A value that is not nested.
  static func appendScalar(_ segment: Segment, to output: OutputBuffer) {
    switch unsafe segment.tag {
    case SegmentTag.string:
      output.append("\"")
      unsafe output.appendJSONEscaped(segment.payload)
      output.append("\"")
    case SegmentTag.duration: unsafe ValueText.appendSeconds(Int64(bitPattern: segment.word), to: output)
    case SegmentTag.double:
      let number = unsafe Double(bitPattern: segment.word)
      if number.isFinite {
        output.append(number)
      } else {
        output.append(string: "\"\(number)\"")
      }
    default: unsafe ValueText.append(segment, to: output) { unsafe $0.append($1) }
    }
  }
}

/// Which JSON containers are open, and whether a comma is due. Values that nest deeper than a record may are closed again at once.
private struct Nesting {
  private var isArray: UInt64 = 0
  private var isFirst: UInt64 = 0
  private(set) var depth = 0
  private var ignored = 0

  var isEmpty: Bool { depth == 0 }
  var isInArray: Bool { depth > 0 && isArray & 1 << UInt64(depth) != 0 }

  mutating func separate(_ output: OutputBuffer) {
    let bit: UInt64 = 1 << UInt64(depth)
    if depth == 0 || isFirst & bit == 0 { output.append(",") }
    isFirst &= ~bit
  }

  mutating func push(isArray array: Bool, _ output: OutputBuffer) {
    guard depth < RecordLayout.deepestNesting else {
      // Closed at once; its members are written one level up.
      output.append(array ? "]" : "}")
      ignored += 1
      return
    }
    depth += 1
    let bit: UInt64 = 1 << UInt64(depth)
    isArray = array ? isArray | bit : isArray & ~bit
    isFirst |= bit
  }

  mutating func pop() -> StaticString? {
    if ignored > 0 {
      ignored -= 1
      return ""
    }
    guard depth > 0 else { return nil }
    let array = isInArray
    depth -= 1
    return array ? "]" : "}"
  }
}
