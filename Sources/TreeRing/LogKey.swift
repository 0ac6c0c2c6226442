public import CTreeRing

/// The name of a field. Made from a literal: `\(id, "order.id")`, `$0["http.status"] = 502`.
///
/// It is an address and a length, so passing it on costs nothing. The bytes it points at live for ever (they are a literal's), except in
/// ``withKey(_:_:)``, where they live for the closure.
@frozen
@safe
public struct LogKey: @unchecked Sendable, ExpressibleByStringLiteral {  // its bytes never change
  @usableFromInline let start: UnsafePointer<UInt8>
  @usableFromInline let count: Int

  /// The field's name as it stands in the source. Transparent, so that a global made from a literal is constant data in a debug build, too.
  @_transparent
  public init(stringLiteral name: StaticString) {
    unsafe start = name.utf8Start
    count = name.utf8CodeUnitCount
  }

  @inlinable
  @inline(__always)
  init(unsafeStart: UnsafePointer<UInt8>, count: Int) {
    unsafe start = unsafeStart
    self.count = count
  }

  /// No name: the value is part of the text only.
  @inlinable @inline(__always)
  static var none: LogKey { "" }

  /// No name, of an array's element.
  @inlinable @inline(__always)
  public static var element: LogKey { unsafe LogKey(unsafeStart: tr_element(), count: 0) }

  /// Set in `count` of a name whose bytes may be others when the address is seen again.
  @usableFromInline static let passing = 1 << 62

  /// Set in `count` of a name whose value has a mark: the name does not hide it.
  @usableFromInline static let cleared = 1 << 61

  /// This name, of a value that it does not hide.
  @inlinable @inline(__always)
  var cleared: LogKey { unsafe LogKey(unsafeStart: start, count: count | Self.cleared) }

  /// Whether the address alone tells which name it is, for as long as the program runs.
  var isLasting: Bool { count & Self.passing == 0 }
  /// Bytes of the name that a record can hold.
  var length: Int { min(count & ~(Self.passing | Self.cleared), RecordLayout.longestKey) }
  /// Whether ``RedactedKeys`` name it. Cost: some 20 ns.
  private var isOnTheList: Bool {
    let count = count & ~(Self.passing | Self.cleared)
    return unsafe count > 0 && RedactionTable.hides(UnsafeBufferPointer(start: start, count: count))
  }
  /// Whether a value under this name does not reach the record.
  var hidesValue: Bool { count & Self.cleared == 0 && isOnTheList }
  /// Whether a call site may be known by this name. A name on the list is looked at in every call: the next one may have another mark.
  var isLearnable: Bool { isLasting && (count & Self.cleared == 0 || !isOnTheList) }

  /// What stands for this key in the slots of a call site (`TRSite`): never the address of a literal.
  @inlinable @inline(__always)
  var slot: UInt64 { unsafe UInt64(UInt(bitPattern: start)) &+ 1 }

  /// A key for a name that is known only at run time, valid within `body`. Cost: no allocation for native strings.
  @inlinable
  public static func withKey<Result>(_ name: String, _ body: (LogKey) -> Result) -> Result {
    let result = unsafe name.utf8.withContiguousStorageIfAvailable { unsafe body(LogKey(unsafePassing: $0)) }
    return result ?? withCopiedKey(name, body)
  }

  /// The same for a string that is not stored as contiguous UTF-8. Allocates.
  @usableFromInline
  @inline(never)
  static func withCopiedKey<Result>(_ name: String, _ body: (LogKey) -> Result) -> Result {
    var name = name
    return name.withUTF8 { unsafe body(LogKey(unsafePassing: $0)) }
  }

  /// A name whose bytes live for as long as the buffer.
  @inlinable
  @inline(__always)
  init(unsafePassing name: UnsafeBufferPointer<UInt8>) {
    unsafe self.init(unsafeStart: name.baseAddress ?? LogKey.none.start, count: name.count | Self.passing)
  }
}
