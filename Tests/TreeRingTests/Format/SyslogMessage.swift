/// A syslog message, read strictly by the grammar of RFC 5424, section 6, independently of the library.
struct SyslogMessage {
  var facility = 0
  var severity = 0
  var time = ""
  var host = ""
  var application = ""
  var process = ""
  var id = ""
  /// Elements of structured data: name, and pairs in order.
  var data: [(id: String, parameters: [(name: String, value: String)])] = []
  var text = ""

  struct Fault: Error {
    let what: String
    let line: String
  }

  init(_ line: String) throws {
    var reader = Reader(rest: Array(line.utf8)[...], line: line)
    try reader.expect("<")
    let priority = try reader.number(digits: 1...3)
    guard priority <= 191 else { throw Fault(what: "priority", line: line) }
    (facility, severity) = (priority / 8, priority % 8)
    try reader.expect(">1 ")
    time = try reader.word(1...32)
    host = try reader.word(1...255)
    application = try reader.word(1...48)
    process = try reader.word(1...128)
    id = try reader.word(1...32)
    data = try reader.structuredData()
    if !reader.rest.isEmpty { try reader.expect(" ") }
    guard let text = String(validating: reader.rest, as: UTF8.self) else { throw Fault(what: "UTF-8", line: line) }
    self.text = text
  }

  /// A parameter of an element, or nil.
  func value(_ id: String, _ name: String) -> String? {
    data.first { $0.id == id }?.parameters.first { $0.name == name }?.value
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>
    let line: String

    func fault(_ what: String) -> Fault { Fault(what: "\(what), \(rest.count) bytes from the end", line: line) }

    mutating func expect(_ text: String) throws {
      guard rest.starts(with: text.utf8) else { throw fault("no \(text)") }
      rest = rest.dropFirst(text.utf8.count)
    }

    mutating func number(digits: ClosedRange<Int>) throws -> Int {
      let taken = rest.prefix { (0x30...0x39).contains($0) }
      rest = rest[taken.endIndex...]
      let text = String(decoding: taken, as: UTF8.self)
      guard digits.contains(taken.count), let number = Int(text), text == String(number) else { throw fault("number") }
      return number
    }

    /// Printable ASCII, and the blank behind it.
    mutating func word(_ length: ClosedRange<Int>) throws -> String {
      let taken = rest.prefix { (33...126).contains($0) }
      guard length.contains(taken.count) else { throw fault("a word of \(taken.count)") }
      rest = rest[taken.endIndex...]
      try expect(" ")
      return String(decoding: taken, as: UTF8.self)
    }

    mutating func structuredData() throws -> [(id: String, parameters: [(name: String, value: String)])] {
      if rest.first == UInt8(ascii: "-") {
        rest = rest.dropFirst()
        return []
      }
      var elements: [(id: String, parameters: [(name: String, value: String)])] = []
      while rest.first == UInt8(ascii: "[") {
        rest = rest.dropFirst()
        let id = try name()
        guard !elements.contains(where: { $0.id == id }) else { throw fault("\(id) is there twice") }
        var parameters: [(name: String, value: String)] = []
        while rest.first == UInt8(ascii: " ") {
          rest = rest.dropFirst()
          parameters.append((try name(), try value()))
        }
        try expect("]")
        elements.append((id, parameters))
      }
      guard !elements.isEmpty else { throw fault("structured data") }
      return elements
    }

    mutating func name() throws -> String {
      let taken = rest.prefix { (33...126).contains($0) && !"=]\"".utf8.contains($0) }
      guard 1...32 ~= taken.count else { throw fault("a name of \(taken.count)") }
      rest = rest[taken.endIndex...]
      return String(decoding: taken, as: UTF8.self)
    }

    mutating func value() throws -> String {
      try expect("=\"")
      var bytes: [UInt8] = []
      while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "\"") {
          guard let text = String(validating: bytes, as: UTF8.self) else { throw fault("UTF-8 in a value") }
          return text
        }
        if byte == UInt8(ascii: "]") { throw fault("an open ]") }
        if byte == UInt8(ascii: "\\"), let next = rest.first, "\"\\]".utf8.contains(next) {
          bytes.append(next)
          rest = rest.dropFirst()
        } else {
          bytes.append(byte)
        }
      }
      throw fault("the end of a value")
    }
  }
}
