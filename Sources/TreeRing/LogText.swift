public import CTreeRing

/// The text of a log call, written in place while its literal is evaluated. Only the compiler makes one, for the argument of a call:
///
/// ```swift
/// log.info("order \(order.id, "order.id") placed, total \(total, "order.total")")
/// ```
///
/// A message to keep, return or pass on is a ``LogMessage``. A `LogText` that is kept past its call is empty when it is used again.
@frozen
@safe
public struct LogText: ExpressibleByStringInterpolation {
  @usableFromInline var writer: RecordWriter

  /// A text without values.
  @inlinable
  @inline(__always)
  public init(stringLiteral text: StaticString) {
    writer = .forCallUnderWay()
    writer.literal(text)
  }

  /// A text with values.
  @inlinable
  @inline(__always)
  public init(stringInterpolation: StringInterpolation) { writer = stringInterpolation.writer }

  /// Appends pieces to the record under way. See ``LogText``.
  @frozen
  @safe
  public struct StringInterpolation: LogInterpolation {
    @usableFromInline package var writer: RecordWriter

    /// Begins where the call under way has its text.
    @inlinable
    @inline(__always)
    public init(literalCapacity: Int, interpolationCount: Int) { writer = .forCallUnderWay() }

    /// Writes a piece of source text.
    @inlinable
    @inline(__always)
    public mutating func appendLiteral(_ literal: StaticString) { writer.literal(literal) }

    /// Writes a value.
    @inlinable
    @inline(__always)
    public mutating func append(_ value: some LogValue, _ key: LogKey) {
      value.write(to: &writer, key: key, fieldOnly: false)
    }

    /// Writes what a mark leaves of a value.
    @inlinable
    @inline(__always)
    public mutating func append(_ value: some LogValue, _ key: LogKey, _ privacy: LogPrivacy) {
      writer.write(value, key: key, fieldOnly: false, privacy: privacy)
    }

    /// Writes the description of a value. Allocates.
    @inlinable
    public mutating func append(describing value: Any, _ key: LogKey) {
      writer.follow(writer.place.describing(value, key: key, fieldOnly: false))
    }

    /// Writes a stored message, text and fields, as a part of this one.
    public mutating func appendInterpolation(_ message: LogMessage) {
      writer.follow(writer.place.addingToText(message.segments))
    }
  }
}

extension RecordWriter {
  /// The place that the call under way on this thread has prepared; full when there is none, or when its text has begun already.
  @inlinable
  @inline(__always)
  static func forCallUnderWay() -> RecordWriter {
    let thread = unsafe tr_thread()
    guard let cursor = unsafe thread.pointee.cursor, let slots = unsafe thread.pointee.slots else { return .nowhere }
    unsafe thread.pointee.cursor = nil
    return unsafe RecordWriter(RecordPlace(cursor: cursor, limit: thread.pointee.limit, slots: slots))
  }

  /// A writer that is full from the start.
  @inlinable @inline(__always)
  static var nowhere: RecordWriter {
    let cursor = unsafe UnsafeMutablePointer(mutating: tr_element())
    return unsafe RecordWriter(RecordPlace(cursor: cursor, limit: nil, slots: tr_site_slots(tr_site_at(TR_SITE_NONE))))
  }
}

/// What ``LogText`` and ``LogMessage`` have in common: which values may stand in a message.
public protocol LogInterpolation: StringInterpolationProtocol where StringLiteralType == StaticString {
  /// Writes a value under `key`, or without one when it is empty.
  mutating func append(_ value: some LogValue, _ key: LogKey)
  /// Writes what a mark leaves of a value, under `key`, or without one when it is empty.
  mutating func append(_ value: some LogValue, _ key: LogKey, _ privacy: LogPrivacy)
  /// Writes the description of a value. Allocates.
  mutating func append(describing value: Any, _ key: LogKey)
}

extension LogInterpolation {
  /// `\(value)`: text only.
  @inlinable
  @inline(__always)
  public mutating func appendInterpolation(_ value: some LogValue) { append(value, "") }

  /// `\(value, "key")`: text and field.
  @inlinable
  @inline(__always)
  public mutating func appendInterpolation(_ value: some LogValue, _ key: LogKey) { append(value, key) }

  /// `\(optional)`: the value, or null. Of its own, because the compiler warns of an optional that is interpolated as any other value.
  @inlinable
  @inline(__always)
  public mutating func appendInterpolation<Value: LogValue>(_ value: Value?) { append(value, "") }

  /// `\(optional, "key")`: text and field, or null in both.
  @inlinable
  @inline(__always)
  public mutating func appendInterpolation<Value: LogValue>(_ value: Value?, _ key: LogKey) { append(value, key) }

  /// Any other value, by its description. Allocates.
  @_disfavoredOverload
  @inlinable
  public mutating func appendInterpolation<Value>(_ value: Value) { append(describing: value, "") }

  /// Any other value under a key, by its description. Allocates.
  @_disfavoredOverload
  @inlinable
  public mutating func appendInterpolation<Value>(_ value: Value, _ key: LogKey) { append(describing: value, key) }
}
