import Synchronization

/// Names made at run time, each kept once and for ever, so that a logger or channel can point at one as it does at a literal.
///
/// Memory grows by the length of each *different* name; a name per request is a mistake (a field of the record is the place for it).
final class NameTable: Sendable {
  static let shared = NameTable()

  private let names = Mutex<[String: LogKey]>([:])

  /// The address of the one copy of `name`. Takes a lock; allocates for a new name.
  func intern(_ name: String) -> LogKey {
    names.withLock { names in
      // Compared by bytes: names that are canonically equivalent differ, as in npm's debug.
      if let known = names[name], known.text.utf8.elementsEqual(name.utf8) { return known }
      let bytes = Array(name.utf8)
      let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
      unsafe bytes.withUnsafeBufferPointer { source in
        if let start = source.baseAddress { unsafe copy.update(from: start, count: source.count) }
      }
      let key = unsafe LogKey(unsafeStart: copy, count: bytes.count)
      names[name] = key
      return key
    }
  }
}
