import Synchronization

/// The channels whose names were made at run time: no list of the compiler's has them.
final class NamedChannels: Sendable {
  static let shared = NamedChannels()

  /// By the name's bytes: names that are canonically equivalent are two channels.
  private let channels = Mutex<[[UInt8]: LogKey]>([:])

  /// Takes a lock; allocates.
  func insert(_ name: LogKey, about: LogKey) { channels.withLock { $0[Array(name.text.utf8)] = about } }

  /// Names, each with what was said about it.
  var all: [(name: String, about: String)] {
    channels.withLock { $0.map { (String(decoding: $0.key, as: UTF8.self), $0.value.text) } }
  }
}
