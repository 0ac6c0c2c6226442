/// Reads one line of NDJSON as a value: RFC 8259, at most 64 levels deep. Any bytes may be given.
///
/// Numbers without a fraction or an exponent that fit 128 bits are whole numbers, others are doubles. Invalid UTF-8 in a string becomes U+FFFD, for this is a view.
struct JSONReader {
  private let bytes: [UInt8]
  private var position = 0

  private static let deepest = 64

  /// The members of the object that is the whole of `line`, in their order; nil when it is not one object.
  static func object(_ line: [UInt8]) -> [(key: String, value: RecordedValue)]? {
    var reader = JSONReader(bytes: line)
    reader.skipBlanks()
    guard reader.take("{"), let members = reader.members(depth: 1) else { return nil }
    reader.skipBlanks()
    return reader.position == line.count ? members : nil
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// The members behind an opening brace, up to the closing one.
  private mutating func members(depth: Int) -> [(key: String, value: RecordedValue)]? {
    var members: [(key: String, value: RecordedValue)] = []
    skipBlanks()
    if take("}") { return members }
    repeat {
      skipBlanks()
      guard let key = string() else { return nil }
      skipBlanks()
      guard take(":"), let value = value(depth: depth) else { return nil }
      members.append((key, value))
      skipBlanks()
    } while take(",")
    return take("}") ? members : nil
  }

  private mutating func elements(depth: Int) -> [RecordedValue]? {
    var elements: [RecordedValue] = []
    skipBlanks()
    if take("]") { return elements }
    repeat {
      guard let value = value(depth: depth) else { return nil }
      elements.append(value)
      skipBlanks()
    } while take(",")
    return take("]") ? elements : nil
  }

  private mutating func value(depth: Int) -> RecordedValue? {
    skipBlanks()
    switch next {
    case UInt8(ascii: "\"")?: return string().map { .string($0) }
    case UInt8(ascii: "{")? where depth < Self.deepest:
      position += 1
      return members(depth: depth + 1).map { members in
        .object(Dictionary(members.map { ($0.key, $0.value) }) { _, last in last })
      }
    case UInt8(ascii: "[")? where depth < Self.deepest:
      position += 1
      return elements(depth: depth + 1).map { .array($0) }
    case UInt8(ascii: "t")?: return word("true", .bool(true))
    case UInt8(ascii: "f")?: return word("false", .bool(false))
    case UInt8(ascii: "n")?: return word("null", .null)
    default: return number()
    }
  }

  private mutating func word(_ word: StaticString, _ value: RecordedValue) -> RecordedValue? {
    let end = position + word.utf8CodeUnitCount
    guard end <= bytes.count else { return nil }
    let isRight = word.withUTF8Buffer { unsafe $0.elementsEqual(bytes[position..<end]) }
    position = end
    return isRight ? value : nil
  }

  private mutating func number() -> RecordedValue? {
    let start = position
    var isWhole = true
    while let byte = next {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
      case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"): isWhole = false
      default: return Self.number(bytes[start..<position], isWhole)
      }
      position += 1
    }
    return Self.number(bytes[start..<position], isWhole)
  }

  private static func number(_ digits: ArraySlice<UInt8>, _ isWhole: Bool) -> RecordedValue? {
    guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: ".") else { return nil }
    let text = String(decoding: digits, as: UTF8.self)
    if isWhole, let number = Int128(text) { return .integer(number) }
    return Double(text).map { .double($0) }
  }

  /// A string, from its opening quote.
  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): guard escape(into: &text) else { return nil }
      case 0..<0x20: return nil
      default: text.append(byte)
      }
    }
    return nil
  }

  private mutating func escape(into text: inout [UInt8]) -> Bool {
    guard let byte = next else { return false }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      guard let scalar = unicodeEscape() else { return false }
      text.append(contentsOf: Array(String(scalar).utf8))
    default: return false
    }
    return true
  }

  /// The four digits behind `\u`, and those of the other half of a surrogate pair; U+FFFD for half a pair.
  private mutating func unicodeEscape() -> Unicode.Scalar? {
    guard let unit = fourDigits() else { return nil }
    if let scalar = Unicode.Scalar(unit) { return scalar }
    let before = position
    guard unit < 0xDC00, take("\\"), take("u"), let low = fourDigits(), (0xDC00..<0xE000).contains(low) else {
      position = before
      return "\u{FFFD}"
    }
    return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
  }

  private mutating func fourDigits() -> UInt32? {
    var number: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
      number = number << 4 | UInt32(digit)
      position += 1
    }
    return number
  }
}
