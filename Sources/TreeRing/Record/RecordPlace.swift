import CTreeRing

/// Where a ``RecordWriter`` stands, in three words, which travel in registers: what a function that is not inlined into a log call is given, and returns.
@frozen
@usableFromInline
@safe
package struct RecordPlace {
  /// Where the next segment goes.
  @usableFromInline var cursor: UnsafeMutablePointer<UInt8>
  /// Nil: full.
  @usableFromInline var limit: UnsafeMutablePointer<UInt8>?
  /// What the call site expects next.
  @usableFromInline var slots: UnsafePointer<UInt64>

  @inlinable
  @inline(__always)
  init(cursor: UnsafeMutablePointer<UInt8>, limit: UnsafeMutablePointer<UInt8>?, slots: UnsafePointer<UInt64>) {
    unsafe self.cursor = cursor
    unsafe self.limit = limit
    unsafe self.slots = slots
  }

  /// Outside of any call: nothing is expected, every segment says what it is.
  init(cursor: UnsafeMutablePointer<UInt8>, limit: UnsafeMutablePointer<UInt8>?) {
    unsafe self.init(cursor: cursor, limit: limit, slots: tr_site_slots(tr_site_at(TR_SITE_NONE)))
  }

  /// Whether something did not fit.
  var isFull: Bool { unsafe limit == nil }

  /// Bytes left; negative when full.
  var room: Int { unsafe Int(bitPattern: limit) &- Int(bitPattern: cursor) }

  mutating func fill() { unsafe limit = nil }
}
