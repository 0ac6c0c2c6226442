/// Why a line is no JSON record, and where: bytes from its start.
package struct LineDefect: Error, Equatable, Sendable, CustomStringConvertible {
  package let kind: Kind
  package let offset: Int

  init(_ kind: Kind, at offset: Int) {
    self.kind = kind
    self.offset = offset
  }

  /// What is wrong.
  package enum Kind: String, Sendable {
    case object = "a record begins with {"
    case cut = "it ends too early"
    case name = "expected a name in quotes"
    case colon = "expected a colon"
    case commaOrEnd = "expected a comma or the end of the object or array"
    case value = "expected a value"
    case leadingZero = "a number with a leading zero"
    case digit = "expected a digit"
    case control = "a control character in a string"
    case escape = "an unknown escape in a string"
    case encoding = "bytes that are not UTF-8"
    case tooDeep = "objects or arrays deeper than 512"
    case trailing = "something follows the record"
  }

  package var description: String { "\(kind.rawValue), at byte \(offset)" }
}
