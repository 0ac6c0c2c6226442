/// The value of a field of a ``RecordedLog``, with the type it was logged with.
///
/// Literals stand for values, so an expectation reads as the call did: `record["order.id"] == 17`, `record["tags"] == ["new", "paid"]`.
public enum RecordedValue: Sendable, Hashable {
  /// Text, and whatever was logged by its description.
  case string(String)
  /// Any whole number, signed or not.
  case integer(Int128)
  /// A floating-point number.
  case double(Double)
  /// True or false.
  case bool(Bool)
  /// An optional that was nil.
  case null
  /// A duration; exact to the nanosecond. A line of JSON has seconds instead, as a number.
  case duration(Duration)
  /// An array.
  case array([RecordedValue])
  /// A nested object. Of two members with one name the last is here.
  case object([String: RecordedValue])
}

extension RecordedValue {
  /// The text, when the value is a string.
  public var stringValue: String? { if case .string(let text) = self { text } else { nil } }

  /// The number, when the value is a whole number that fits.
  public var intValue: Int? { if case .integer(let number) = self { Int(exactly: number) } else { nil } }

  /// The number, when the value is a number of any kind. A large whole number is rounded; a duration counts in seconds.
  public var doubleValue: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .double(let number): number
    case .duration(let duration): duration / .seconds(1)
    default: nil
    }
  }

  /// True or false, when the value is one of them.
  public var boolValue: Bool? { if case .bool(let truth) = self { truth } else { nil } }
}

extension RecordedValue: ExpressibleByStringLiteral {
  /// A string.
  public init(stringLiteral text: String) { self = .string(text) }
}

extension RecordedValue: ExpressibleByIntegerLiteral {
  /// A whole number.
  public init(integerLiteral number: Int) { self = .integer(Int128(number)) }
}

extension RecordedValue: ExpressibleByFloatLiteral {
  /// A floating-point number.
  public init(floatLiteral number: Double) { self = .double(number) }
}

extension RecordedValue: ExpressibleByBooleanLiteral {
  /// True or false.
  public init(booleanLiteral truth: Bool) { self = .bool(truth) }
}

extension RecordedValue: ExpressibleByArrayLiteral {
  /// An array.
  public init(arrayLiteral elements: RecordedValue...) { self = .array(elements) }
}

extension RecordedValue: ExpressibleByDictionaryLiteral {
  /// A nested object.
  public init(dictionaryLiteral members: (String, RecordedValue)...) {
    self = .object(Dictionary(members) { _, last in last })
  }
}

extension RecordedValue: CustomStringConvertible {
  /// As it stands in a line for people; text as it is, without quotes.
  public var description: String {
    switch self {
    case .string(let text): text
    case .integer(let number): "\(number)"
    case .double(let number): "\(number)"
    case .bool(let truth): "\(truth)"
    case .null: "null"
    case .duration(let duration): "\(duration / .seconds(1)) s"
    case .array(let elements): "[" + elements.map(\.description).joined(separator: ", ") + "]"
    case .object(let members):
      "[" + members.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "]"
    }
  }
}
