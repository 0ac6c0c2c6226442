/// Values under a mark: see ``LogPrivacy``.
extension LogInterpolation {
  /// `\(value, .hashed)`: text only, and of it what the mark leaves.
  @inlinable
  @inline(__always)
  public mutating func appendInterpolation(_ value: some LogValue, _ privacy: LogPrivacy) {
    append(value, "", privacy)
  }

  /// `\(value, "key", .hashed)`: text and field, and of both what the mark leaves.
  @inlinable
  @inline(__always)
  public mutating func appendInterpolation(_ value: some LogValue, _ key: LogKey, _ privacy: LogPrivacy) {
    append(value, key, privacy)
  }

  /// `\(optional, .hashed)`: what the mark leaves of the value, or of null.
  @inlinable
  @inline(__always)
  public mutating func appendInterpolation<Value: LogValue>(_ value: Value?, _ privacy: LogPrivacy) {
    append(value, "", privacy)
  }

  /// `\(optional, "key", .hashed)`: what the mark leaves of the value, or of null.
  @inlinable
  @inline(__always)
  public mutating func appendInterpolation<Value: LogValue>(_ value: Value?, _ key: LogKey, _ privacy: LogPrivacy) {
    append(value, key, privacy)
  }

  /// Any other value, by its description. Allocates.
  @_disfavoredOverload
  @inlinable
  public mutating func appendInterpolation<Value>(_ value: Value, _ privacy: LogPrivacy) {
    append(String(describing: value), "", privacy)
  }

  /// Any other value under a key, by its description. Allocates.
  @_disfavoredOverload
  @inlinable
  public mutating func appendInterpolation<Value>(_ value: Value, _ key: LogKey, _ privacy: LogPrivacy) {
    append(String(describing: value), key, privacy)
  }
}
