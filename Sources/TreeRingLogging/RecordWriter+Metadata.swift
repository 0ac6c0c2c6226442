internal import Logging
internal import TreeRing

extension RecordWriter {
  /// Writes a metadata value with its own type.
  mutating func write(_ value: Logging.Logger.MetadataValue, under name: String, depth: Int) {
    LogKey.withKey(name) { write(value, $0, depth) }
  }

  private mutating func write(_ value: Logging.Logger.MetadataValue, _ key: LogKey, _ depth: Int) {
    switch value {
    case .string(let string): string.write(to: &self, key: key, fieldOnly: true)
    case .stringConvertible(let value): write(convertible: value, key)
    case .array, .dictionary:
      // Deeper than a record can nest, the rest is told in one string.
      guard depth < RecordLayout.deepestNesting else {
        return value.description.write(to: &self, key: key, fieldOnly: true)
      }
      write(members: value, key, depth)
    }
  }

  private mutating func write(members value: Logging.Logger.MetadataValue, _ key: LogKey, _ depth: Int) {
    switch value {
    case .array(let elements):
      beginArray(key: key, fieldOnly: true)
      for element in elements { write(element, "", depth + 1) }
      end(fieldOnly: true)
    case .dictionary(let members):
      beginGroup(key: key, fieldOnly: true)
      for (name, member) in members { write(member, under: name, depth: depth + 1) }
      end(fieldOnly: true)
    case .string, .stringConvertible: break
    }
  }

  /// A type that knows how to write itself stays what it is: numbers, booleans, durations, and types of the program that are `LogValue`s. Any other is
  /// asked for its description.
  private mutating func write(convertible value: any CustomStringConvertible & Sendable, _ key: LogKey) {
    // Asking for the type is much quicker than asking for a conformance.
    if type(of: value) == Int.self, let value = value as? Int {
      value.write(to: &self, key: key, fieldOnly: true)
    } else if let value = value as? any LogValue {
      value.write(to: &self, key: key, fieldOnly: true)
    } else {
      value.description.write(to: &self, key: key, fieldOnly: true)
    }
  }
}
