import Foundation

/// One line of NDJSON, read by Foundation, which knows nothing of this library.
@dynamicMemberLookup
package struct JSONRecord: @unchecked Sendable, CustomStringConvertible {  // property lists of immutable values
  /// The object.
  package let object: [String: Any]
  /// As it stood in the file.
  package let line: String

  /// Parses a line; throws when it is not one JSON object.
  package init(line: some StringProtocol) throws {
    self.line = String(line)
    guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
      throw UnreadableLine(line: self.line)
    }
    self.object = object
  }

  /// A string field; nil when it is missing or no string.
  package subscript(dynamicMember name: String) -> String? { object[name] as? String }
  /// A field of any type.
  package subscript(_ name: String) -> Any? { object[name] }
  /// A field that is a whole number.
  package func integer(_ name: String) -> Int? { (object[name] as? NSNumber)?.intValue }

  package var description: String { line }

  /// The records of a file, in order. Throws for a line that is no JSON object, and when the last line has no end.
  ///
  /// - Parameter isGrowing: somebody writes to it, and may be in the middle of a line: that one is not read yet.
  package static func read(_ path: String, isGrowing: Bool = false) throws -> [JSONRecord] {
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    if isGrowing { data = data.prefix(data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) }
    guard data.isEmpty || data.last == UInt8(ascii: "\n") else { throw UnreadableLine(line: "no end of the last line") }
    return try data.split(separator: UInt8(ascii: "\n")).map { line in
      guard let text = String(validating: line, as: UTF8.self) else { throw UnreadableLine(line: "invalid UTF-8") }
      return try JSONRecord(line: text)
    }
  }

  /// What was found instead of a record.
  package struct UnreadableLine: Error {
    package let line: String

    package init(line: String) { self.line = line }
  }
}
