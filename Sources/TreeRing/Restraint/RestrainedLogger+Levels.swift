/// The seven levels, as ``Logger`` has them.
extension RestrainedLogger {
  /// Logs every step, for tracing a path through the code.
  @inlinable
  @inline(__always)
  public func trace(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.trace, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs what helps while debugging.
  @inlinable
  @inline(__always)
  public func debug(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.debug, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs what a reader of an ordinary log wants to see.
  @inlinable
  @inline(__always)
  public func info(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.info, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs unusual, but not an error.
  @inlinable
  @inline(__always)
  public func notice(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.notice, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs something may go wrong soon.
  @inlinable
  @inline(__always)
  public func warning(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.warning, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs something went wrong.
  @inlinable
  @inline(__always)
  public func error(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.error, text(), error(), file: file, line: line, column: column, fields: fields) }

  /// Logs the program, or a part of it, cannot go on.
  @inlinable
  @inline(__always)
  public func critical(
    _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) { log(.critical, text(), error(), file: file, line: line, column: column, fields: fields) }
}
