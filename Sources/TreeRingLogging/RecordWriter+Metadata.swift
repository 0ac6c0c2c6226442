internal import Logging
internal import TreeRing

extension RecordWriter {
  /// Writes a metadata value with its own type, or what its privacy mark leaves of it.
  @inline(__always)
  mutating func write(_ value: Logging.Logger.MetadataValue, under name: String, depth: Int) {
    // A field of a record has a name.
    LogKey.withKey(name.isEmpty ? "_" : name) { write(value, $0, depth) }
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
      array(key: key, fieldOnly: true) { writer in
        for element in elements { writer.write(element, .element, depth + 1) }
      }
    case .dictionary(let members):
      group(key: key, fieldOnly: true) { writer in
        for (name, member) in members { writer.write(member, under: name, depth: depth + 1) }
      }
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
