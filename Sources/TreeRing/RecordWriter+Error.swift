extension RecordPlace {
  /// `error.type` and `error.message`, and for an error that holds others, `error.causes`: an array of the same two, from the nearest to the root.
  /// Allocates.
  @usableFromInline
  @inline(never)
  func adding(_ error: any Error) -> RecordPlace {
    var writer = RecordWriter(self)
    writer.writeType(of: error, "error.type", "error.message")
    let causes = ErrorChain.causes(of: error)
    guard !causes.isEmpty else { return writer.place }
    writer.array(key: "error.causes", fieldOnly: true) { writer in
      for cause in causes {
        writer.group(key: .element, fieldOnly: true) { $0.writeType(of: cause, "type", "message") }
      }
    }
    return writer.place
  }
}

extension RecordWriter {
  fileprivate mutating func writeType(of error: any Error, _ type: LogKey, _ message: LogKey) {
    String(reflecting: Swift.type(of: error)).write(to: &self, key: type, fieldOnly: true)
    String(describing: error).write(to: &self, key: message, fieldOnly: true)
  }
}

/// The errors inside of an error: the one that a property or an associated value holds, the one that this one holds, and so on.
enum ErrorChain {
  /// Nobody reads more, and an error may hold itself.
  static let longest = 8

  /// From the nearest to the root. Reflects, so it takes microseconds.
  static func causes(of error: any Error) -> [any Error] {
    var causes: [any Error] = []
    var next = cause(in: error, depth: 0)
    while let cause = next, causes.count < longest {
      causes.append(cause)
      next = self.cause(in: cause, depth: 0)
    }
    return causes
  }

  /// The first error among the members of a value, or in what these are made of: an optional, a tuple, the payload of an enumeration's case.
  private static func cause(in value: Any, depth: Int) -> (any Error)? {
    guard depth < 3 else { return nil }
    let mirror = Mirror(reflecting: value)
    for (_, member) in mirror.children {
      if let error = member as? any Error { return error }
      switch Mirror(reflecting: member).displayStyle {
      case .optional, .tuple, .struct:
        if let error = cause(in: member, depth: depth + 1) { return error }
      default: continue
      }
    }
    return nil
  }
}
