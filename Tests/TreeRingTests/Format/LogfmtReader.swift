import Foundation

/// Reads logfmt by the grammar of `github.com/kr/logfmt`, independently of the library:
///
/// `ident = bytes above blank without = and "`, `key = ident`, `value = ident | '"' any, with \ before what is escaped '"'`,
/// `pair = key [= value]`, pairs divided by what is neither.
enum LogfmtReader {
  struct Fault: Error { let line: String }

  /// The pairs in order; a quoted value is what Foundation reads it as, being a JSON string.
  static func pairs(_ line: String) throws -> [(name: String, value: String)] {
    var rest = Array(line.utf8)[...]
    var pairs: [(String, String)] = []
    while !rest.isEmpty {
      let name = take(&rest) { isIdent($0) }
      guard !name.isEmpty, rest.popFirst() == UInt8(ascii: "=") else { throw Fault(line: line) }
      pairs.append((text(name), try value(&rest, line)))
      guard rest.isEmpty || rest.popFirst() == UInt8(ascii: " ") else { throw Fault(line: line) }
    }
    return pairs
  }

  private static func value(_ rest: inout ArraySlice<UInt8>, _ line: String) throws -> String {
    guard rest.first == UInt8(ascii: "\"") else { return text(take(&rest) { isIdent($0) }) }
    var end = rest.startIndex + 1
    while end < rest.endIndex, rest[end] != UInt8(ascii: "\"") { end += rest[end] == UInt8(ascii: "\\") ? 2 : 1 }
    guard end < rest.endIndex else { throw Fault(line: line) }
    let quoted = Data(rest[rest.startIndex...end])
    rest = rest[(end + 1)...]
    guard let value = try JSONSerialization.jsonObject(with: quoted, options: .fragmentsAllowed) as? String else {
      throw Fault(line: line)
    }
    return value
  }

  private static func isIdent(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "\"")
  }

  private static func take(_ rest: inout ArraySlice<UInt8>, _ condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    let taken = rest.prefix(while: condition)
    rest = rest[taken.endIndex...]
    return taken
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
