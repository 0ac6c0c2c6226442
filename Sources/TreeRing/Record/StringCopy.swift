public import CTreeRing

/// Copies a string into a record the way almost all go: UTF-8 in one piece, of at most 32 bytes, where there is room. Writes the length, in two bytes, and the bytes, and
/// returns where they end; nil: nothing is done, take the general way (``RecordPlace/writing(_:_:_:)``).
///
/// The standard library hands out a string's bytes by a closure, and those of a short one, which lie in the string itself, through memory: twenty instructions more,
/// and a load that has to wait for two stores. So the string's two words are taken as they are, with a compiler whose standard library is known to lay
/// them out in this way; it is `@frozen` there, and so is in every binary anyway (swift, StringObject.swift). `StringCopyTests` compares all forms with the general way.
///
/// - Parameters:
///   - place: the writer's memory, as are `RecordLayout.slack` bytes behind `limit`.
///   - limit: nil when the record is full.
@inlinable
@inline(__always)
func copyString(
  _ string: String, to place: UnsafeMutablePointer<UInt8>, limit: UnsafeMutablePointer<UInt8>?
) -> UnsafeMutablePointer<UInt8>? {
  #if compiler(<6.4) && (arch(x86_64) || arch(arm64))
    let words = unsafe unsafeBitCast(string, to: (UInt64, UInt64).self)
    return unsafe withExtendedLifetime(string) { unsafe tr_copy_string(words.0, words.1, place, limit) }
  #else
    return nil
  #endif
}
