/// A position in one line of JSON, and the steps over what may stand there: the grammar of RFC 8259, whole, and UTF-8 (RFC 3629) inside of strings.
///
/// Every step takes the same line, begins at `position` and leaves it behind what it has read. No recursion: what is open is a bit for each level, so a
/// hostile line costs no stack. Cost: one look at each byte, no allocation. Any bytes may be given.
struct JSONCursor {
  private(set) var position = 0

  /// Objects and arrays inside of each other, at most; the record itself is the first.
  static let deepest = 512

  /// A string, where it lies between its quotes.
  struct Text {
    var range: Range<Int>
    var hasEscapes: Bool
  }

  /// The byte here; nil at the end of the line.
  func peek(_ line: Span<UInt8>) -> UInt8? { position < line.count ? line[position] : nil }

  mutating func skipBlanks(_ line: Span<UInt8>) {
    while position < line.count {
      switch line[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  /// Steps over `byte`, which must be here.
  mutating func expect(_ byte: UInt8, _ line: Span<UInt8>, or defect: LineDefect.Kind) throws(LineDefect) {
    guard let found = peek(line) else { throw LineDefect(.cut, at: position) }
    guard found == byte else { throw LineDefect(defect, at: position) }
    position += 1
  }

  // MARK: values

  /// Steps over a value of any kind.
  mutating func skipValue(_ line: Span<UInt8>) throws(LineDefect) {
    var open = OpenLevels()
    repeat {
      try begin(&open, line)
      try end(&open, line)
    } while open.depth > 0
  }

  /// Steps over a scalar, or over the opening of a container and, in an object, the first key.
  private mutating func begin(_ open: inout OpenLevels, _ line: Span<UInt8>) throws(LineDefect) {
    while let byte = peek(line), byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
      // The record's own level is the one that is not in `open`.
      guard open.depth < Self.deepest - 1 else { throw LineDefect(.tooDeep, at: position) }
      position += 1
      skipBlanks(line)
      let isObject = byte == UInt8(ascii: "{")
      open.push(isObject: isObject)
      if peek(line) == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) { return }
      if isObject { try key(line) }
    }
    try scalar(line)
  }

  /// Steps over what may follow a value: closings, then a comma with the next key, unless everything is closed.
  private mutating func end(_ open: inout OpenLevels, _ line: Span<UInt8>) throws(LineDefect) {
    while open.depth > 0 {
      skipBlanks(line)
      guard let byte = peek(line) else { throw LineDefect(.cut, at: position) }
      switch (byte, open.isObject) {
      case (UInt8(ascii: "}"), true), (UInt8(ascii: "]"), false):
        position += 1
        open.pop()
      case (UInt8(ascii: ","), let isObject):
        position += 1
        skipBlanks(line)
        if isObject { try key(line) }
        return
      default: throw LineDefect(.commaOrEnd, at: position)
      }
    }
  }

  private mutating func key(_ line: Span<UInt8>) throws(LineDefect) {
    _ = try name(line)
  }

  /// Steps over a member's name, its colon and the blanks around it.
  mutating func name(_ line: Span<UInt8>) throws(LineDefect) -> Text {
    guard let byte = peek(line) else { throw LineDefect(.cut, at: position) }
    guard byte == UInt8(ascii: "\"") else { throw LineDefect(.name, at: position) }
    let text = try string(line)
    skipBlanks(line)
    try expect(UInt8(ascii: ":"), line, or: .colon)
    skipBlanks(line)
    return text
  }

  private mutating func scalar(_ line: Span<UInt8>) throws(LineDefect) {
    switch peek(line) {
    case UInt8(ascii: "\"")?: _ = try string(line)
    case UInt8(ascii: "-")?, .some(UInt8(ascii: "0")...UInt8(ascii: "9")): _ = try number(line)
    case UInt8(ascii: "t")?: try literal("true", line)
    case UInt8(ascii: "f")?: try literal("false", line)
    case UInt8(ascii: "n")?: try literal("null", line)
    case nil: throw LineDefect(.cut, at: position)
    default: throw LineDefect(.value, at: position)
    }
  }

  private mutating func literal(_ literal: StaticString, _ line: Span<UInt8>) throws(LineDefect) {
    let end = position + literal.utf8CodeUnitCount
    guard end <= line.count, line.extracting(position..<end).equals(literal) else {
      throw LineDefect(.value, at: position)
    }
    position = end
  }

  // MARK: numbers

  /// Steps over a number.
  mutating func number(_ line: Span<UInt8>) throws(LineDefect) -> AccountLine.Number {
    var isWhole = true
    if peek(line) == UInt8(ascii: "-") {
      isWhole = false
      position += 1
    }
    let start = position
    let value = try digits(line)
    if line[start] == UInt8(ascii: "0"), position > start + 1 { throw LineDefect(.leadingZero, at: start) }
    if peek(line) == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      _ = try digits(line)
    }
    if let byte = peek(line), byte | 0x20 == UInt8(ascii: "e") {
      isWhole = false
      position += 1
      if let sign = peek(line), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      _ = try digits(line)
    }
    return if isWhole, let value { .whole(value) } else { .other }
  }

  /// Steps over at least one digit. Nil when they make more than 2^63 - 1.
  private mutating func digits(_ line: Span<UInt8>) throws(LineDefect) -> UInt64? {
    let start = position
    var value: UInt64? = 0
    while let byte = peek(line), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      let digit = UInt64(byte - UInt8(ascii: "0"))
      value = value.flatMap { $0 > (UInt64(Int64.max) - digit) / 10 ? nil : $0 * 10 + digit }
      position += 1
    }
    if position > start { return value }
    throw LineDefect(position < line.count ? .digit : .cut, at: position)
  }

  // MARK: strings

  /// Steps over a string; the opening quote is here.
  mutating func string(_ line: Span<UInt8>) throws(LineDefect) -> Text {
    position += 1
    let start = position
    var hasEscapes = false
    while position < line.count {
      let byte = line[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return Text(range: start..<(position - 1), hasEscapes: hasEscapes)
      } else if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        try escape(line)
      } else if byte >= 0x80 {
        try character(byte, line)
      } else if byte < 0x20 {
        throw LineDefect(.control, at: position)
      } else {
        position += 1
      }
    }
    throw LineDefect(.cut, at: position)
  }

  private mutating func escape(_ line: Span<UInt8>) throws(LineDefect) {
    position += 1
    guard let byte = peek(line) else { throw LineDefect(.cut, at: position) }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    case UInt8(ascii: "u"):
      position += 1
      for _ in 0..<4 {
        guard let digit = peek(line) else { throw LineDefect(.cut, at: position) }
        guard digit.hexadecimalValue != nil else { throw LineDefect(.escape, at: position) }
        position += 1
      }
    default: throw LineDefect(.escape, at: position)
    }
  }

  /// Steps over one character of two to four bytes: the table of well-formed sequences, Unicode 3.9, table 3-7.
  private mutating func character(_ lead: UInt8, _ line: Span<UInt8>) throws(LineDefect) {
    let count: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: count = 2
    case 0xE0...0xEF:
      count = 3
      if lead == 0xE0 { second = 0xA0...0xBF }
      if lead == 0xED { second = 0x80...0x9F }
    case 0xF0...0xF4:
      count = 4
      if lead == 0xF0 { second = 0x90...0xBF }
      if lead == 0xF4 { second = 0x80...0x8F }
    default: throw LineDefect(.encoding, at: position)
    }
    for offset in 1..<count {
      guard position + offset < line.count else { throw LineDefect(.cut, at: line.count) }
      let allowed = offset == 1 ? second : 0x80...0xBF
      guard allowed.contains(line[position + offset]) else { throw LineDefect(.encoding, at: position) }
    }
    position += count
  }
}

/// Which containers are open: a bit each, 1 for an object.
private struct OpenLevels {
  private var bits = InlineArray<8, UInt64>(repeating: 0)
  private(set) var depth = 0

  var isObject: Bool { bits[(depth - 1) / 64] & 1 << UInt64((depth - 1) % 64) != 0 }

  mutating func push(isObject: Bool) {
    let bit: UInt64 = 1 << UInt64(depth % 64)
    if isObject { bits[depth / 64] |= bit } else { bits[depth / 64] &= ~bit }
    depth += 1
  }

  mutating func pop() { depth -= 1 }
}

extension UInt8 {
  /// What it is worth as a hexadecimal digit.
  var hexadecimalValue: UInt32? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(self - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(self - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}

extension Span<UInt8> {
  /// Whether these are the bytes of `literal`.
  func equals(_ literal: StaticString) -> Bool {
    guard count == literal.utf8CodeUnitCount else { return false }
    // A literal of more than one character is stored as a pointer to its UTF-8, and lives for ever.
    for position in indices where unsafe self[position] != literal.utf8Start[position] { return false }
    return true
  }
}
