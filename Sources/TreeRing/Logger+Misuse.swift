// Habits of other interfaces, and what to write here instead: errors that say so, where the compiler would complain of types that nobody has heard of. None of these
// can be called, and the compiler looks at them only when nothing else fits, so they cost neither the program nor its compilation anything.

extension Logger {
  /// A text or an error that is not in a literal.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "begin with a literal: trace(\"\\(text)\"); an error comes behind it: trace(\"what failed\", error)"
  )
  public func trace<Text>(
    _ text: @autoclosure () -> Text, _ error: @autoclosure () -> (any Error)? = nil,
    fields: (inout LogFields) -> Void = { _ in }
  ) {}

  /// Fields behind the text.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func trace(_ text: @autoclosure () -> LogText, _ fields: [String: Any]) {}

  /// swift-log's metadata.
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func trace(_ text: @autoclosure () -> LogText, metadata: [String: Any]) {}

  /// A text or an error that is not in a literal.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "begin with a literal: debug(\"\\(text)\"); an error comes behind it: debug(\"what failed\", error)"
  )
  public func debug<Text>(
    _ text: @autoclosure () -> Text, _ error: @autoclosure () -> (any Error)? = nil,
    fields: (inout LogFields) -> Void = { _ in }
  ) {}

  /// Fields behind the text.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func debug(_ text: @autoclosure () -> LogText, _ fields: [String: Any]) {}

  /// swift-log's metadata.
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func debug(_ text: @autoclosure () -> LogText, metadata: [String: Any]) {}

  /// A text or an error that is not in a literal.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "begin with a literal: info(\"\\(text)\"); an error comes behind it: info(\"what failed\", error)"
  )
  public func info<Text>(
    _ text: @autoclosure () -> Text, _ error: @autoclosure () -> (any Error)? = nil,
    fields: (inout LogFields) -> Void = { _ in }
  ) {}

  /// Fields behind the text.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func info(_ text: @autoclosure () -> LogText, _ fields: [String: Any]) {}

  /// swift-log's metadata.
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func info(_ text: @autoclosure () -> LogText, metadata: [String: Any]) {}

  /// A text or an error that is not in a literal.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "begin with a literal: notice(\"\\(text)\"); an error comes behind it: notice(\"what failed\", error)"
  )
  public func notice<Text>(
    _ text: @autoclosure () -> Text, _ error: @autoclosure () -> (any Error)? = nil,
    fields: (inout LogFields) -> Void = { _ in }
  ) {}

  /// Fields behind the text.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func notice(_ text: @autoclosure () -> LogText, _ fields: [String: Any]) {}

  /// swift-log's metadata.
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func notice(_ text: @autoclosure () -> LogText, metadata: [String: Any]) {}

  /// A text or an error that is not in a literal.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "begin with a literal: warning(\"\\(text)\"); an error comes behind it: warning(\"what failed\", error)"
  )
  public func warning<Text>(
    _ text: @autoclosure () -> Text, _ error: @autoclosure () -> (any Error)? = nil,
    fields: (inout LogFields) -> Void = { _ in }
  ) {}

  /// Fields behind the text.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func warning(_ text: @autoclosure () -> LogText, _ fields: [String: Any]) {}

  /// swift-log's metadata.
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func warning(_ text: @autoclosure () -> LogText, metadata: [String: Any]) {}

  /// A text or an error that is not in a literal.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "begin with a literal: error(\"\\(text)\"); an error comes behind it: error(\"what failed\", error)"
  )
  public func error<Text>(
    _ text: @autoclosure () -> Text, _ error: @autoclosure () -> (any Error)? = nil,
    fields: (inout LogFields) -> Void = { _ in }
  ) {}

  /// Fields behind the text.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func error(_ text: @autoclosure () -> LogText, _ fields: [String: Any]) {}

  /// swift-log's metadata.
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func error(_ text: @autoclosure () -> LogText, metadata: [String: Any]) {}

  /// A text or an error that is not in a literal.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "begin with a literal: critical(\"\\(text)\"); an error comes behind it: critical(\"what failed\", error)"
  )
  public func critical<Text>(
    _ text: @autoclosure () -> Text, _ error: @autoclosure () -> (any Error)? = nil,
    fields: (inout LogFields) -> Void = { _ in }
  ) {}

  /// Fields behind the text.
  @_disfavoredOverload
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func critical(_ text: @autoclosure () -> LogText, _ fields: [String: Any]) {}

  /// swift-log's metadata.
  @available(
    *, unavailable,
    message: "values stand in the text: \"\\(value, \"key\")\", or in the closure behind it: { $0[\"key\"] = value }"
  )
  public func critical(_ text: @autoclosure () -> LogText, metadata: [String: Any]) {}

  /// What others call a warning.
  @available(*, unavailable, renamed: "warning")
  public func warn(_ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil) {}

  /// What others call critical.
  @available(*, unavailable, renamed: "critical")
  public func fatal(_ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil) {}

  /// swift-log's level of one logger.
  @available(*, unavailable, message: "levels belong to labels: LogSystem.setLevel(.debug, for: \"shop\")")
  public var logLevel: Level {
    get { preconditionFailure("unavailable") }
    nonmutating set {}
  }

  /// swift-log's fields of one logger.
  @available(*, unavailable, message: "make a child logger: log.with { $0[\"key\"] = value }")
  public subscript(metadataKey key: String) -> String {
    get { preconditionFailure("unavailable") }
    nonmutating set {}
  }
}
