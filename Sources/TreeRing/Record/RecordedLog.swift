/// One record as a value: what a test asserts on (``LogRecorder``), and what a view of a log prints.
public struct RecordedLog: Sendable, Hashable {
  /// Nanoseconds since 1970.
  public var nanosecondsSince1970: UInt64
  /// How much it matters; `debug` for a line of a debug channel.
  public var level: Level
  /// The logger's label, or the name of the debug channel.
  public var label: String
  /// Whether a debug channel wrote it.
  public var isDebugChannel: Bool
  /// The text, with its values in their places.
  public var message: String
  /// The fields, in the order in which they were written: those of the text, of child loggers, of the error, of the closure.
  public var fields: [Field]
  /// Whether the record was larger than a record may be, so that its end is missing.
  public var isTruncated: Bool
  /// The text as it stands in the source, with names for values: `order {order.id} placed`, and `{}` for a value without a name. All records of one call have it in
  /// common. Nil where the source has no text, but a string made at run time: a record of swift-log for instance. No part of what is compared.
  public var template: String?

  /// One field.
  public struct Field: Sendable, Hashable {
    /// Its name.
    public var key: String
    /// Its value.
    public var value: RecordedValue
    /// Whether the value is part of the message, too.
    public var isInMessage: Bool

    /// A field.
    public init(key: String, value: RecordedValue, isInMessage: Bool = false) {
      self.key = key
      self.value = value
      self.isInMessage = isInMessage
    }
  }

  /// A record; for comparing, and for making one in a test.
  public init(
    nanosecondsSince1970: UInt64 = 0, level: Level, label: String, isDebugChannel: Bool = false, message: String,
    fields: [Field] = [], isTruncated: Bool = false
  ) {
    self.nanosecondsSince1970 = nanosecondsSince1970
    self.level = level
    self.label = label
    self.isDebugChannel = isDebugChannel
    self.message = message
    self.fields = fields
    self.isTruncated = isTruncated
  }

  /// Whether both say the same.
  public static func == (left: RecordedLog, right: RecordedLog) -> Bool {
    left.nanosecondsSince1970 == right.nanosecondsSince1970 && left.level == right.level && left.label == right.label
      && left.isDebugChannel == right.isDebugChannel && left.message == right.message && left.fields == right.fields
      && left.isTruncated == right.isTruncated
  }

  /// Hashes what is compared.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(nanosecondsSince1970)
    hasher.combine(level)
    hasher.combine(label)
    hasher.combine(isDebugChannel)
    hasher.combine(message)
    hasher.combine(fields)
    hasher.combine(isTruncated)
  }

  /// The value of the first field with this name; nil when there is none.
  public subscript(key: String) -> RecordedValue? { fields.first { $0.key == key }?.value }

  /// All fields by name. Of two with one name the first is here.
  public var values: [String: RecordedValue] { Dictionary(fields.map { ($0.key, $0.value) }) { first, _ in first } }
}

extension RecordedLog: CustomStringConvertible {
  /// For a failed expectation: `info shop.checkout: order 17 placed order.id=17`.
  public var description: String {
    ([" \(level.name) \(label): \(message)".dropFirst()] + fields.map { "\($0.key)=\($0.value)" })
      .joined(separator: " ")
  }
}
