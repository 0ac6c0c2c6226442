/// The seven levels, as ``Logger`` has them, with a literal and with a stored ``LogMessage``.
extension RestrainedLogger {
  /// Logs every step, for tracing a path through the code.
  @inlinable
  @inline(__always)
  public func trace(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.trace, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs a stored message: every step, for tracing a path through the code.
  @_disfavoredOverload
  @inlinable
  public func trace(
    _ message: @autoclosure () -> LogMessage, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.trace, message(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs what helps while debugging.
  @inlinable
  @inline(__always)
  public func debug(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.debug, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs a stored message: what helps while debugging.
  @_disfavoredOverload
  @inlinable
  public func debug(
    _ message: @autoclosure () -> LogMessage, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.debug, message(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs what a reader of an ordinary log wants to see.
  @inlinable
  @inline(__always)
  public func info(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.info, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs a stored message: what a reader of an ordinary log wants to see.
  @_disfavoredOverload
  @inlinable
  public func info(
    _ message: @autoclosure () -> LogMessage, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.info, message(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs unusual, but not an error.
  @inlinable
  @inline(__always)
  public func notice(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.notice, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs a stored message: unusual, but not an error.
  @_disfavoredOverload
  @inlinable
  public func notice(
    _ message: @autoclosure () -> LogMessage, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.notice, message(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs something may go wrong soon.
  @inlinable
  @inline(__always)
  public func warning(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.warning, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs a stored message: something may go wrong soon.
  @_disfavoredOverload
  @inlinable
  public func warning(
    _ message: @autoclosure () -> LogMessage, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.warning, message(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs something went wrong.
  @inlinable
  @inline(__always)
  public func error(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.error, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs a stored message: something went wrong.
  @_disfavoredOverload
  @inlinable
  public func error(
    _ message: @autoclosure () -> LogMessage, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.error, message(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs the program, or a part of it, cannot go on.
  @inlinable
  @inline(__always)
  public func critical(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.critical, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs a stored message: the program, or a part of it, cannot go on.
  @_disfavoredOverload
  @inlinable
  public func critical(
    _ message: @autoclosure () -> LogMessage, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.critical, message(), error(), file: file, line: line, column: column, fields: fields) }
}
