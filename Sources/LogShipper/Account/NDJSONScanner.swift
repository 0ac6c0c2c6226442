/// Reads one line of NDJSON for the account: checks all of it, keeps next to nothing.
///
/// The line must be one JSON object (RFC 8259, in UTF-8, at most 512 levels deep). Only the members of the top object are looked at; nested values and the
/// contents of strings are stepped over. A name or a message written with escapes means the same as without. Cost: one look at each byte; no allocation, unless a name,
/// a message or a ring has escapes. Any bytes may be given: the worst that happens is a `LineDefect`.
package enum NDJSONScanner {
  /// Reads `line`, without its line feed.
  package static func scan(_ line: Span<UInt8>) throws(LineDefect) -> AccountLine {
    var cursor = JSONCursor()
    var facts = AccountLine()
    cursor.skipBlanks(line)
    try cursor.expect(UInt8(ascii: "{"), line, or: .object)
    cursor.skipBlanks(line)
    if cursor.peek(line) == UInt8(ascii: "}") {
      try cursor.expect(UInt8(ascii: "}"), line, or: .commaOrEnd)
    } else {
      try members(&cursor, line, &facts)
    }
    cursor.skipBlanks(line)
    if cursor.position < line.count { throw LineDefect(.trailing, at: cursor.position) }
    return facts
  }

  /// Whether a line holds nothing: no bytes, or blanks alone.
  package static func isBlank(_ line: Span<UInt8>) -> Bool {
    var cursor = JSONCursor()
    cursor.skipBlanks(line)
    return cursor.position == line.count
  }

  private static func members(
    _ cursor: inout JSONCursor, _ line: Span<UInt8>, _ facts: inout AccountLine
  ) throws(LineDefect) {
    var seen: UInt16 = 0
    while true {
      let text = try cursor.name(line)
      if let name = JSONText(text).name(line) {
        let bit: UInt16 = 1 << UInt16(name.rawValue)
        if seen & bit != 0 { facts.repeatedName = name }
        seen |= bit
        try value(of: name, &cursor, line, &facts)
      } else {
        try cursor.skipValue(line)
      }
      cursor.skipBlanks(line)
      if cursor.peek(line) == UInt8(ascii: ",") {
        try cursor.expect(UInt8(ascii: ","), line, or: .commaOrEnd)
        cursor.skipBlanks(line)
      } else {
        return try cursor.expect(UInt8(ascii: "}"), line, or: .commaOrEnd)
      }
    }
  }

  /// Reads the value of a member that matters. A value of another type than expected is stepped over.
  private static func value(
    of name: AccountLine.Name, _ cursor: inout JSONCursor, _ line: Span<UInt8>, _ facts: inout AccountLine
  ) throws(LineDefect) {
    switch cursor.peek(line) {
    case UInt8(ascii: "\"")?:
      let text = JSONText(try cursor.string(line))
      facts.take(text, as: name, line)
    case .some(UInt8(ascii: "0")...UInt8(ascii: "9")): facts.take(try cursor.number(line), as: name)
    default:
      try cursor.skipValue(line)
      facts.take(.other, as: name)
    }
  }
}

extension AccountLine {
  fileprivate mutating func take(_ number: Number, as name: Name) {
    switch name {
    case .sequence: sequence = number
    case .pid: pid = number
    case .dropped: dropped = number
    case .droppedTotal: droppedTotal = number
    case .rings: rings = number
    case .committed: committed = number
    case .filtered: filtered = number
    case .from: from = number
    case .to: to = number
    case .ring, .message, .logger, .cause: break
    }
  }

  fileprivate mutating func take(_ text: JSONText, as name: Name, _ line: Span<UInt8>) {
    switch name {
    case .ring: ring = text.ring(line)
    case .message: message = text.message(line)
    case .logger: isAboutStream = text.equals("treering", line)
    case .cause: isWithoutRing = text.equals("no ring", line)
    default: take(.other, as: name)
    }
  }
}

/// A string of a line, compared with what the account knows. One with escapes is spelled out first, if it is short enough to matter.
private struct JSONText {
  private let text: JSONCursor.Text

  init(_ text: JSONCursor.Text) { self.text = text }

  /// No text that matters has more characters, and an escaped one takes six bytes.
  private static let longest = 6 * RingName.longest

  func name(_ line: Span<UInt8>) -> AccountLine.Name? {
    guard text.hasEscapes else { return Self.name(line.extracting(text.range)) }
    return decoded(line).flatMap { Self.name($0.span) }
  }

  func message(_ line: Span<UInt8>) -> AccountLine.Message {
    guard text.hasEscapes else { return Self.message(line.extracting(text.range)) }
    return decoded(line).map { Self.message($0.span) } ?? .other
  }

  func ring(_ line: Span<UInt8>) -> RingName? {
    guard text.hasEscapes else { return RingName(line.extracting(text.range)) }
    return decoded(line).flatMap { RingName($0.span) }
  }

  func equals(_ literal: StaticString, _ line: Span<UInt8>) -> Bool {
    guard text.hasEscapes else { return line.extracting(text.range).equals(literal) }
    return decoded(line).map { $0.span.equals(literal) } ?? false
  }

  private static func name(_ bytes: Span<UInt8>) -> AccountLine.Name? {
    let candidates: (AccountLine.Name, AccountLine.Name?, AccountLine.Name?)
    switch bytes.count {
    case 3: candidates = (.sequence, .message, .pid)
    case 4: candidates = (.ring, nil, nil)
    case 6: candidates = (.logger, nil, nil)
    case 11: candidates = (.to, nil, nil)
    case 13: candidates = (.from, nil, nil)
    case 14: candidates = (.cause, .rings, nil)
    case 16: candidates = (.dropped, nil, nil)
    case 17: candidates = (.filtered, nil, nil)
    case 18: candidates = (.committed, nil, nil)
    case 22: candidates = (.droppedTotal, nil, nil)
    default: return nil
    }
    if bytes.equals(candidates.0.spelling) { return candidates.0 }
    if let second = candidates.1, bytes.equals(second.spelling) { return second }
    if let third = candidates.2, bytes.equals(third.spelling) { return third }
    return nil
  }

  private static func message(_ bytes: Span<UInt8>) -> AccountLine.Message {
    switch bytes.count {
    case 9: bytes.equals("sink back") ? .sinkBack : .other
    case 11: bytes.equals("ring closed") ? .ringClosed : bytes.equals("sink failed") ? .sinkFailed : .other
    case 13: bytes.equals("sink filtered") ? .sinkFiltered : .other
    case 14: bytes.equals("process closed") ? .processClosed : .other
    case 15: bytes.equals("records dropped") ? .recordsDropped : .other
    case 18: bytes.equals("records unreadable") ? .recordsUnreadable : .other
    default: .other
    }
  }

  /// The text without escapes; a surrogate, which nothing that matters contains, becomes a byte that is in no text. Nil when it is too long.
  private func decoded(_ line: Span<UInt8>) -> [UInt8]? {
    guard text.range.count <= Self.longest else { return nil }
    var bytes: [UInt8] = []
    var position = text.range.lowerBound
    while position < text.range.upperBound {
      guard line[position] == UInt8(ascii: "\\") else {
        bytes.append(line[position])
        position += 1
        continue
      }
      let letter = line[position + 1]
      position += 2
      guard letter == UInt8(ascii: "u") else {
        bytes.append(Self.meaning(of: letter))
        continue
      }
      var code: UInt32 = 0
      for offset in 0..<4 { code = code << 4 | (line[position + offset].hexadecimalValue ?? 0) }
      position += 4
      if let scalar = Unicode.Scalar(code) { bytes.append(contentsOf: scalar.utf8) } else { bytes.append(0xFF) }
    }
    return bytes
  }

  private static func meaning(of letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
  }
}
