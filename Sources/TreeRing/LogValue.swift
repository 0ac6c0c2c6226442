/// A value that a record can carry with its own type.
///
/// Scalars, strings, durations, optionals and arrays of these conform. A type of yours conforms by writing what it is made of:
///
/// ```swift
/// struct Money {
///   let cents: Int
/// }
///
/// extension Money: LogValue {
///   func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
///     cents.write(to: &writer, key: key, fieldOnly: fieldOnly)
///   }
/// }
/// ```
public protocol LogValue {
  /// Writes the value as one segment, or one group of segments.
  ///
  /// - Parameters:
  ///   - key: the field's name; empty when the value is text only.
  ///   - fieldOnly: true when the value is not part of the message's text.
  func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool)
}

extension RecordWriter {
  @inlinable @inline(__always)
  static func tag(_ tag: UInt8, _ fieldOnly: Bool) -> UInt8 { fieldOnly ? tag | SegmentTag.fieldOnly : tag }
}

extension FixedWidthInteger {
  /// Writes the integer; one wider than 64 bits is written as text.
  @inlinable
  @inline(__always)
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    if Self.bitWidth > 64 {
      String(self).write(to: &writer, key: key, fieldOnly: fieldOnly)
    } else if Self.isSigned {
      writer.word(RecordWriter.tag(SegmentTag.int, fieldOnly), key, UInt64(bitPattern: Int64(truncatingIfNeeded: self)))
    } else {
      writer.word(RecordWriter.tag(SegmentTag.uint, fieldOnly), key, UInt64(truncatingIfNeeded: self))
    }
  }
}
extension Int: LogValue {}
extension Int8: LogValue {}
extension Int16: LogValue {}
extension Int32: LogValue {}
extension Int64: LogValue {}
extension Int128: LogValue {}
extension UInt: LogValue {}
extension UInt8: LogValue {}
extension UInt16: LogValue {}
extension UInt32: LogValue {}
extension UInt64: LogValue {}
extension UInt128: LogValue {}

extension Double: LogValue {
  /// Writes the number; it is read back bit for bit.
  @inlinable
  @inline(__always)
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    writer.word(RecordWriter.tag(SegmentTag.double, fieldOnly), key, bitPattern)
  }
}

extension Float: LogValue {
  /// Writes the shortest decimal number that reads back as this one, so that 0.1 does not become 0.10000000149.
  @inlinable
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    (Double(description) ?? Double(self)).write(to: &writer, key: key, fieldOnly: fieldOnly)
  }
}

extension Bool: LogValue {
  /// Writes true or false.
  @inlinable
  @inline(__always)
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    guard let payload = unsafe writer.open(RecordWriter.tag(SegmentTag.bool, fieldOnly), key, payload: 1) else {
      return
    }
    unsafe payload.pointee = self ? 1 : 0
  }
}

extension String: LogValue {
  /// Copies the string's UTF-8. No allocation for native strings, which all strings on Linux are.
  @inlinable
  @inline(__always)
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    writer.string(RecordWriter.tag(SegmentTag.string, fieldOnly), key, self)
  }
}

extension Substring: LogValue {
  /// Copies the UTF-8.
  @inlinable
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    let tag = RecordWriter.tag(SegmentTag.string, fieldOnly)
    let copied: Void? = unsafe utf8.withContiguousStorageIfAvailable { unsafe writer.bytes(tag, key, $0) }
    if copied == nil { writer.follow(writer.place.writing(tag, key, String(self))) }
  }
}

extension StaticString: LogValue {
  /// Copies the UTF-8.
  @inlinable
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    unsafe writer.bytes(
      RecordWriter.tag(SegmentTag.string, fieldOnly), key,
      UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount))
  }
}

extension Optional: LogValue where Wrapped: LogValue {
  /// Writes the value, or null.
  @inlinable
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    if let self {
      self.write(to: &writer, key: key, fieldOnly: fieldOnly)
    } else {
      _ = unsafe writer.open(RecordWriter.tag(SegmentTag.null, fieldOnly), key, payload: 0)
    }
  }
}

extension Array: LogValue where Element: LogValue {
  /// Writes the elements as an array.
  @inlinable
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    writer.write(elements: self, key: key, fieldOnly: fieldOnly)
  }
}

extension Duration: LogValue {
  /// Writes whole nanoseconds; JSON shows seconds. What exceeds 292 years is clamped.
  @inlinable
  public func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
    let (seconds, attoseconds) = components
    let (scaled, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    let nanoseconds = tooLarge || overflow ? (seconds < 0 ? Int64.min : Int64.max) : sum
    writer.word(RecordWriter.tag(SegmentTag.duration, fieldOnly), key, UInt64(bitPattern: nanoseconds))
  }
}

extension RecordPlace {
  /// A string. Allocates only when it is not stored as contiguous UTF-8.
  @usableFromInline
  @inline(never)
  func writing(_ tag: UInt8, _ key: LogKey, _ string: String) -> RecordPlace {
    var writer = RecordWriter(self)
    let copied: Void? = unsafe string.utf8.withContiguousStorageIfAvailable { unsafe writer.bytes(tag, key, $0) }
    return copied == nil ? writingCopy(tag, key, string) : writer.place
  }

  /// Of its own, so that the usual string costs no saved registers.
  @inline(never)
  private func writingCopy(_ tag: UInt8, _ key: LogKey, _ string: String) -> RecordPlace {
    var writer = RecordWriter(self)
    var native = string
    native.withUTF8 { unsafe writer.bytes(tag, key, $0) }
    return writer.place
  }

  /// A value of a type that knows only how to describe itself. Allocates.
  @usableFromInline
  @inline(never)
  func describing(_ value: Any, key: LogKey, fieldOnly: Bool) -> RecordPlace {
    var writer = RecordWriter(self)
    String(describing: value).write(to: &writer, key: key, fieldOnly: fieldOnly)
    return writer.place
  }
}
