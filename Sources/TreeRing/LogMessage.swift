/// A message to keep, return or pass on, and to log later.
///
/// ```swift
/// let message: LogMessage = "order \(order.id, "order.id") refused"
/// log.warning(message)
/// ```
///
/// Its values are encoded when it is made, into a buffer of its own (one allocation). A message that stands inside the call itself needs none: see ``LogText``.
public struct LogMessage: ExpressibleByStringInterpolation, Sendable {
  let segments: [UInt8]

  /// A message without values.
  public init(stringLiteral text: StaticString) {
    var interpolation = StringInterpolation(literalCapacity: text.utf8CodeUnitCount, interpolationCount: 0)
    interpolation.appendLiteral(text)
    segments = interpolation.segments
  }

  /// A message whose text is a string made at run time.
  public init(_ text: String) {
    var interpolation = StringInterpolation(literalCapacity: text.utf8.count, interpolationCount: 0)
    interpolation.append(text, "")
    segments = interpolation.segments
  }

  /// A message with values.
  public init(stringInterpolation: StringInterpolation) { segments = stringInterpolation.segments }

  /// Collects the pieces of a stored message.
  public struct StringInterpolation: LogInterpolation {
    var segments: [UInt8] = []

    /// Begins an empty message.
    public init(literalCapacity: Int, interpolationCount: Int) {
      segments.reserveCapacity(literalCapacity + interpolationCount * 24 + 16)
    }

    /// Adds a piece of source text.
    public mutating func appendLiteral(_ literal: StaticString) {
      segments.appendSegments(atMost: literal.utf8CodeUnitCount) { $0.literal(literal) }
    }

    /// Adds a value.
    public mutating func append(_ value: some LogValue, _ key: LogKey) {
      segments.appendSegments(atMost: 256) { value.write(to: &$0, key: key, fieldOnly: false) }
    }

    /// Adds what a mark leaves of a value.
    public mutating func append(_ value: some LogValue, _ key: LogKey, _ privacy: LogPrivacy) {
      segments.appendSegments(atMost: 256) { $0.write(value, key: key, fieldOnly: false, privacy: privacy) }
    }

    /// Adds the description of a value.
    public mutating func append(describing value: Any, _ key: LogKey) { append(String(describing: value), key) }

    /// Adds another message, text and fields.
    public mutating func appendInterpolation(_ message: LogMessage) { segments += message.segments }
  }
}

extension LogMessage: CustomStringConvertible {
  /// The text, with its values in their places.
  public var description: String {
    let whole = unsafe segments.withUnsafeBufferPointer {
      unsafe SegmentReader.wholeSegments(in: $0, atMost: RecordLayout.largestRecord - RecordLayout.headerSize)
    }
    let size = UInt16(RecordLayout.headerSize + whole)
    var record = [UInt8(truncatingIfNeeded: size), UInt8(size >> 8)]
    record += [UInt8](repeating: 0, count: RecordLayout.headerSize - 2) + segments[..<whole]
    // A view goes in steps of 8.
    record += [UInt8](repeating: 0, count: -record.count & 7)
    return unsafe record.withUnsafeBytes { bytes in
      unsafe RecordView(bytes).map { unsafe RecordedLog.message(of: $0) } ?? ""
    }
  }
}

extension [UInt8] {
  /// Appends what `write` writes, giving it more room until it fits or a record could not hold it.
  mutating func appendSegments(atMost expected: Int, _ write: (inout RecordWriter) -> Void) {
    var room = expected + RecordLayout.segmentHeaderSize + RecordLayout.longestKey
    while true {
      var isFull = false
      let written = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        guard let start = buffer.baseAddress else { return }
        var writer = unsafe RecordWriter(RecordPlace(cursor: start, limit: start + room))
        write(&writer)
        isFull = writer.isFull
        count = unsafe writer.cursor - start
      }
      if !isFull || room >= RecordLayout.largestRecord { return append(contentsOf: written) }
      room = Swift.min(room * 4, RecordLayout.largestRecord)
    }
  }
}
