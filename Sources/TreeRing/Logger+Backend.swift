public import CTreeRing

/// What a backend of another logging interface needs: that interface has decided whether the record is wanted, and its texts and field names are
/// strings made at run time.
extension Logger {
  /// The level that is configured for the label. Starts logging from the environment when nothing has started it. Cost: two loads once it is known;
  /// a search through the configured levels when that level is `trace`.
  @inlinable
  package var threshold: Level {
    // With the label known the gate is this logger's own. At 0 it may be waiting for a new answer.
    let gate = unsafe tr_logger_gate(name.start)
    if tr_gate_label(gate) != 0, case let known = tr_gate_threshold(gate), known > 0,
      let level = Level(rawValue: UInt8(truncatingIfNeeded: known))
    {
      return level
    }
    return CallPath.threshold(of: name, context)
  }

  /// Logs without asking the label's level. Cost and failure: those of any enabled call.
  ///
  /// - Parameter fields: goes on from where the record stands, with fields.
  @inlinable
  @inline(__always)
  package func record(
    _ level: Level, _ text: String, _ error: (any Error)?, fields: (RecordPlace) -> RecordPlace
  ) {
    let known = unsafe tr_gate_label(tr_logger_gate(name.start))
    CallPath.record(
      level: level, flags: 0, name: name, label: known != 0 ? known : CallPath.learnLabel(name, context),
      context: context, source: .none,
      text: { LogText(string: text) }, error: { error },
      fields: { $0 = LogFields(RecordWriter(fields($0.writer.place))) })
  }
}

extension LogText {
  /// A text without values, made at run time.
  @inlinable
  @inline(__always)
  init(string: String) {
    writer = RecordWriter(RecordWriter.forCallUnderWay().place.writing(text: string))
  }
}

extension CallPath {
  /// The configured level of a label, looked up. Opens the label's gate, so that the next question is a load.
  @usableFromInline
  @inline(never)
  static func threshold(of name: LogKey, _ context: LogContext?) -> Level {
    if let recorder = LogRecorder.of(context) { return recorder.level }
    _ = allows(name, .critical, nil)
    return Level(rawValue: LogSystem.threshold(of: name)) ?? .critical
  }

  /// The label's id, for a logger that has not asked its gate. Starts logging when nothing has started it.
  @usableFromInline
  @inline(never)
  static func learnLabel(_ name: LogKey, _ context: LogContext?) -> UInt16 {
    _ = allows(name, .critical, context)
    return label(name, context)
  }
}
