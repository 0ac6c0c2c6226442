// Habits of npm's debug, and what to write here instead: see Logger+Misuse.swift.

extension DebugChannel {
  /// A text that is not a literal.
  @_disfavoredOverload
  @available(*, unavailable, message: "begin with a literal: debug(\"\\(text)\")")
  public func callAsFunction<Text>(_ text: @autoclosure () -> Text, fields: (inout LogFields) -> Void = { _ in }) {}

  /// A number behind a format.
  @_disfavoredOverload
  @available(*, unavailable, message: "values stand in the text: debug(\"\\(rows, \"rows\") rows\")")
  public func callAsFunction(_ text: @autoclosure () -> LogText, _ number: Int, _ more: Any...) {}

  /// A string behind a format.
  @_disfavoredOverload
  @available(*, unavailable, message: "values stand in the text: debug(\"\\(name, \"name\") is new\")")
  public func callAsFunction(_ text: @autoclosure () -> LogText, _ string: String, _ more: Any...) {}

  /// npm's name.
  @available(*, unavailable, renamed: "isEnabled")
  public var enabled: Bool { preconditionFailure("unavailable") }
}
