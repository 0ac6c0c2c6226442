public import CTreeRing

extension Logger {
  /// Logs at a level chosen at run time.
  @inlinable
  @inline(__always)
  public func log(
    _ level: Level, _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) {
    let gate = unsafe tr_logger_gate(name.start)
    guard tr_gate_passes(gate, level.rawValue) else { return }
    let label = tr_gate_label(gate)
    guard _fastPath(label != 0) || CallPath.allows(name, level, context) else { return }
    CallPath.record(
      level: level, flags: 0, name: name, label: label != 0 ? label : CallPath.label(name, context),
      context: context, source: LogSource(file, line, column), text: text, error: error, fields: fields)
  }

  /// Logs a stored message at a level chosen at run time.
  @_disfavoredOverload
  public func log(
    _ level: Level, _ message: @autoclosure () -> LogMessage, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) {
    guard isEnabled(level) else { return }
    let stored = message()
    CallPath.record(
      level: level, flags: 0, name: name, label: CallPath.label(name, context), context: context,
      source: LogSource(file, line, column), text: { LogText(stored: stored) }, error: error, fields: fields)
  }
}

extension Logger {
  /// Logs about another process, which a supervisor does: the record's `pid` is that process's, its ring is ours.
  package func log(
    _ level: Level, about pid: Int32, _ text: @autoclosure () -> LogText, fields: (inout LogFields) -> Void = { _ in }
  ) {
    guard isEnabled(level) else { return }
    CallPath.record(
      level: level, flags: RecordFlags.otherProcess, name: name, label: CallPath.label(name, context),
      context: context, source: .none, text: text, error: { nil },
      fields: {
        $0["pid"] = pid
        fields(&$0)
      })
  }
}

extension LogText {
  /// Copies a stored message to where the call under way has its text.
  init(stored message: LogMessage) {
    writer = RecordWriter(RecordWriter.forCallUnderWay().place.adding(message.segments))
  }
}
