import Synchronization

/// Names made at run time, each kept once and for ever, so that a logger or channel can point at one as it does at a literal.
///
/// Memory grows by the length of each *different* name; a name per request is a mistake (a field of the record is the place for it).
final class NameTable: Sendable {
  static let shared = NameTable()

  /// By the name's bytes: names that are canonically equivalent differ, as in npm's debug.
  private let names = Mutex<[[UInt8]: LogKey]>([:])

  /// The address of the one copy of `name`. Takes a lock; allocates.
  func intern(_ name: String) -> LogKey {
    let bytes = Array(name.utf8)
    return names.withLock { names in
      if let known = names[bytes] { return known }
      let key = Self.copy(bytes)
      names[bytes] = key
      return key
    }
  }

  /// With a NUL behind it, as a literal has one.
  private static func copy(_ bytes: [UInt8]) -> LogKey {
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count + 1)
    for (index, byte) in bytes.enumerated() { unsafe copy[index] = byte }
    unsafe copy[bytes.count] = 0
    return unsafe LogKey(unsafeStart: copy, count: bytes.count)
  }
}
