internal import Logging
internal import TreeRing

extension RecordWriter {
  /// Writes a metadata value with its own type, or what its privacy mark leaves of it.
  mutating func write(_ value: Logging.Logger.MetadataValue, under name: String, depth: Int) {
    LogKey.withKey(name) { write(value, $0, depth) }
  }

  private mutating func write(_ value: Logging.Logger.MetadataValue, _ key: LogKey, _ depth: Int) {
    switch value {
    case .string(let string): string.write(to: &self, key: key, fieldOnly: true)
    case .stringConvertible(let convertible):
      if !writeScalar(convertible, key) { write(convertible: convertible, of: value, key) }
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

  /// A type that knows how to write itself stays what it is: types of the program that are `LogValue`s, for example. Any other is asked for its description.
  private mutating func write(
    convertible: any CustomStringConvertible & Sendable, of value: Logging.Logger.MetadataValue, _ key: LogKey
  ) {
    if let privacy = value.attributes[LogPrivacy.self] {
      write(convertible.description, key: key, fieldOnly: true, privacy: privacy)
    } else if let value = convertible as? any LogValue {
      value.write(to: &self, key: key, fieldOnly: true)
    } else {
      convertible.description.write(to: &self, key: key, fieldOnly: true)
    }
  }
}
