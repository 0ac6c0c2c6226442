/// What a record is made of, after its fixed header (`TRRecord` in Layout.h).
///
/// A record is a header of 24 bytes and then segments, without padding between them. A segment that says everything itself:
///
/// | bytes | |
/// |---|---|
/// | 1 | tag: what the payload is (``SegmentTag``), bit 7 set when the segment is a field that is not part of the text |
/// | 1 | length of the key, 0 for none |
/// | 2 | length of the payload |
/// | … | key, UTF-8 |
/// | … | payload |
///
/// Segments without bit 7, in order, are the message's text; segments with a key are fields. So `"order \(id, "order.id") placed"` is
/// `literal "order "`, `int id` with key `order.id`, `literal " placed"`, and the text is never formatted at the call site.
/// Between `group` and `end` lie the members of a nested value; between `array` and `end` its elements.
/// Integers are little-endian, unaligned. All positions of records are multiples of 8.
///
/// A record whose header names a site leaves out what the site's ``RecordTemplate`` knows: literals have no segment at all, and a value is
///
/// | bytes | |
/// |---|---|
/// | 1 | tag, with bit 6 set |
/// | 2 | length of the payload, for strings only |
/// | … | payload |
///
/// Such a value has the next key of the template, and the literals before that key stand before it. Segments of both kinds may stand side by side;
/// `position` says how far the template has been used up where that matters for the order of the text.
@frozen
@usableFromInline
package enum SegmentTag {
  /// Text of the message that stood in the source.
  @usableFromInline package static let literal: UInt8 = 1
  /// UTF-8.
  @usableFromInline package static let string: UInt8 = 2
  /// Int64.
  @usableFromInline package static let int: UInt8 = 3
  /// UInt64.
  @usableFromInline package static let uint: UInt8 = 4
  /// IEEE 754 binary64.
  @usableFromInline package static let double: UInt8 = 5
  /// One byte, 0 or 1.
  @usableFromInline package static let bool: UInt8 = 6
  /// No payload.
  @usableFromInline package static let null: UInt8 = 7
  /// Int64 nanoseconds; JSON carries seconds as a number.
  @usableFromInline package static let duration: UInt8 = 8
  /// Opens a nested object.
  @usableFromInline package static let group: UInt8 = 9
  /// Opens a nested array.
  @usableFromInline package static let array: UInt8 = 10
  /// Closes the innermost group or array.
  @usableFromInline package static let end: UInt8 = 11
  /// The logger's label, where the label table had no room: only as the first segment.
  @usableFromInline package static let label: UInt8 = 12
  /// Two bytes: the literals of the template before that piece are through, and with ``endOfText`` no other comes. In a record of a site only.
  @usableFromInline package static let position: UInt8 = 13
  /// Bit of a `position`.
  static let endOfText: UInt16 = 0x8000
  /// The key is the template's next one.
  @usableFromInline package static let expected: UInt8 = 0x40
  /// The segment is a field only.
  @usableFromInline package static let fieldOnly: UInt8 = 0x80
}

/// Bits of a record's `flags`.
@frozen
@usableFromInline
package enum RecordFlags {
  /// The record was larger than a record may be; its end is missing.
  @usableFromInline package static let truncated: UInt8 = 1
  /// The record is about another process: its field `pid` stands for the standard one.
  package static let otherProcess: UInt8 = 4
  /// The label is the name of a debug channel.
  @usableFromInline package static let channel: UInt8 = 2
}

/// Sizes that both sides of a ring agree on.
@frozen
@usableFromInline
package enum RecordLayout {
  /// Bytes before the first segment.
  @usableFromInline package static let headerSize = 24
  /// Bytes before a segment's key.
  @usableFromInline package static let segmentHeaderSize = 4
  /// The longest key; what is longer is cut.
  @usableFromInline package static let longestKey = 255
  /// The longest payload, which the header's 16 bits can say.
  @usableFromInline package static let longestPayload = 65_535
  /// No record is larger, whatever the ring: the header has 16 bits for it.
  package static let largestRecord = 65_528
  /// Bytes behind the end of what a call may use, for the values that are written without asking for room.
  @usableFromInline package static let slack = 256
  /// How deep values may nest.
  package static let deepestNesting = 16
}
