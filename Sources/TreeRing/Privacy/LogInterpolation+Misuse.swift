/// Habits of other interfaces, and what to write here instead: errors that say so, where the compiler would guess.
extension LogInterpolation {
  /// os_log's spelling.
  @available(*, unavailable, message: "write the mark without a label, behind the key: \\(value, \"key\", .hashed)")
  public mutating func appendInterpolation<Value>(_ value: Value, privacy: LogPrivacy) {}

  /// A key with a label.
  @available(*, unavailable, message: "write the key without a label: \\(value, \"key\")")
  public mutating func appendInterpolation<Value>(_ value: Value, key: LogKey) {}

  /// A key made at run time.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "a key in the text is a literal; set a field with a name made at run time: { $0.set(name, value) }"
  )
  public mutating func appendInterpolation<Value>(_ value: Value, _ key: String) {}
}
