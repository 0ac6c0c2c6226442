public import Logging
public import TreeRing

/// swift-log lets a metadata value carry attributes to the handler; TreeRing's privacy mark is one:
///
/// ```swift
/// logger.info("signed in", metadata: ["user.email": "\(email, privacy: .hashed)"])
/// ```
///
/// ``TreeRingLogHandler`` writes what the mark leaves of the value; a handler that does not know the attribute writes all of it.
extension LogPrivacy: Logging.Logger.MetadataValueAttributes.Attribute {}

extension Logging.Logger.MetadataValue.StringInterpolation {
  /// Adds a value under a mark. The mark is for the whole metadata value; of several, the strictest counts.
  public mutating func appendInterpolation<Value: CustomStringConvertible & Sendable>(
    _ value: Value, privacy: LogPrivacy
  ) {
    appendInterpolation(value, attributes: { $0.restrict(to: privacy) })
  }
}

extension Logging.Logger.MetadataValueAttributes {
  /// Sets the mark, unless there is a stricter one.
  mutating func restrict(to privacy: LogPrivacy) {
    if let mark = self[LogPrivacy.self], mark.rawValue >= privacy.rawValue { return }
    self[LogPrivacy.self] = privacy
  }
}
