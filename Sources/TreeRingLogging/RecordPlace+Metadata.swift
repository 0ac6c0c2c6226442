internal import Logging
internal import TreeRing

extension RecordPlace {
  /// Writes all members. They are taken apart as they come out of the dictionary: a value is copied by asking its type how, and once is enough.
  func writing(_ metadata: Logging.Logger.Metadata) -> RecordPlace {
    var place = self
    var members = metadata.makeIterator()
    while true {
      switch members.next() {
      case (let name, .string(let string))?: place = place.writing(name, string)
      case (let name, .stringConvertible(let convertible))?: place = place.writing(convertible, under: name)
      case (let name, let nested)?: place = place.writingInFull(nested, under: name)
      case nil: return place
      }
    }
  }

  /// Writes a metadata value with its own type, or what its privacy mark leaves of it.
  @inline(never)
  func writing(_ value: Logging.Logger.MetadataValue, under name: String) -> RecordPlace {
    switch value {
    case .string(let string): writing(name, string)
    case .stringConvertible(let convertible): writing(convertible, under: name)
    case .array, .dictionary: writingInFull(value, under: name)
    }
  }

  @inline(__always)
  private func writing(_ convertible: any CustomStringConvertible & Sendable, under name: String) -> RecordPlace {
    switch ScalarType.scalar(in: convertible) {
    case .int(let bits): writing(name, SegmentTag.int, bits)
    case .uint(let bits): writing(name, SegmentTag.uint, bits)
    case .double(let bits): writing(name, SegmentTag.double, bits)
    case .bool(let value): writing(name, value)
    case .string(let string): writing(name, string)
    case .none: writingInFull(.stringConvertible(convertible), under: name)
    }
  }

  @inline(never)
  private func writingInFull(_ value: Logging.Logger.MetadataValue, under name: String) -> RecordPlace {
    LogKey.withFieldKey(name) { key in writing { $0.write(value, key, 0) } }
  }
}

extension RecordWriter {
  fileprivate mutating func write(_ value: Logging.Logger.MetadataValue, _ key: LogKey, _ depth: Int) {
    switch value {
    case .string(let string): string.write(to: &self, key: key, fieldOnly: true)
    case .stringConvertible(let convertible): write(convertible: convertible, of: value, key)
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
        for (name, member) in members { LogKey.withFieldKey(name) { writer.write(member, $0, depth + 1) } }
      }
    case .string, .stringConvertible: break
    }
  }

  /// A type that knows how to write itself stays what it is: numbers, and types of the program that are `LogValue`s. Any other is asked for its description.
  private mutating func write(
    convertible: any CustomStringConvertible & Sendable, of value: Logging.Logger.MetadataValue, _ key: LogKey
  ) {
    if ScalarType.hasAttributes(convertible) {
      write(convertible.description, key: key, privacy: value.attributes[LogPrivacy.self])
    } else if let value = convertible as? any LogValue {
      value.write(to: &self, key: key, fieldOnly: true)
    } else {
      convertible.description.write(to: &self, key: key, fieldOnly: true)
    }
  }

  private mutating func write(_ text: String, key: LogKey, privacy: LogPrivacy?) {
    if let privacy {
      write(text, key: key, fieldOnly: true, privacy: privacy)
    } else {
      text.write(to: &self, key: key, fieldOnly: true)
    }
  }
}
