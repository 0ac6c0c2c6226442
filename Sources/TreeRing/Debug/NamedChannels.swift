import Synchronization

/// The channels whose names were made at run time: no list of the compiler's has them.
final class NamedChannels: Sendable {
  static let shared = NamedChannels()

  private let channels = Mutex<[String: LogKey]>([:])

  /// Takes a lock; allocates for a new name.
  func insert(_ name: LogKey, about: LogKey) { channels.withLock { $0[name.text] = about } }

  /// Names, each with what was said about it.
  var all: [(name: String, about: String)] { channels.withLock { $0.map { ($0.key, $0.value.text) } } }
}
