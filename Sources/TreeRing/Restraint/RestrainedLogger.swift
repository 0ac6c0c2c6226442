public import CTreeRing

/// A logger whose calls hold themselves back, each call in the source for itself. Made by ``Logger/limited(to:per:)``, ``Logger/sampled(oneIn:)`` and
/// ``Logger/foldingRepeats(within:)`` in the call that it is for:
///
/// ```swift
/// log.limited(to: 10, per: .seconds(1)).warning("upstream \(host, "host") is slow")
/// ```
///
/// A call below the level costs what it costs everywhere: one load and one branch, and counts for nothing. What is held back is not evaluated (but for repeats, which have
/// to be compared), takes no number, and is told of in a record before the next one that is written, or when logging stops. Calls are told apart by file, line and column:
/// 1,024 of them have room, and further ones are not held back.
@frozen
public struct RestrainedLogger: Sendable {
  @usableFromInline let logger: Logger
  @usableFromInline let restraint: Restraint

  @inlinable
  init(logger: Logger, restraint: Restraint) {
    self.logger = logger
    self.restraint = restraint
  }

  /// Logs at a level chosen at run time, unless the call is held back.
  @inlinable
  @inline(__always)
  public func log(
    _ level: Level, _ text: @autoclosure () -> LogText, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) {
    guard unsafe tr_gate_passes(tr_logger_gate(logger.name.start), level.rawValue) else { return }
    restrained(level, LogSource(file, line, column), text, error, fields)
  }

  /// Logs a stored message at a level chosen at run time, unless the call is held back.
  @_disfavoredOverload
  public func log(
    _ level: Level, _ message: @autoclosure () -> LogMessage, _ error: @autoclosure () -> (any Error)? = nil,
    file: StaticString = #fileID, line: UInt32 = #line, column: UInt32 = #column,
    fields: (inout LogFields) -> Void = { _ in }
  ) {
    guard unsafe tr_gate_passes(tr_logger_gate(logger.name.start), level.rawValue) else { return }
    let text = { LogText(stored: message()) }
    restrained(level, LogSource(file, line, column), text, error, fields)
  }

  @usableFromInline
  @inline(never)
  func restrained(
    _ level: Level, _ source: LogSource, _ text: () -> LogText, _ error: () -> (any Error)?,
    _ fields: (inout LogFields) -> Void
  ) {
    guard logger.isEnabled(level) else { return }
    // A recorder's label does not outlive it, so there nothing can be told at the end.
    RestrainedCall(
      restraint: restraint, level: level, source: source, name: logger.name, context: logger.context, isChannel: false,
      canBeToldLater: logger.context?.recording == nil
    ).make(text, error, fields)
  }
}

extension Logger {
  /// This logger, for one call that writes at most `count` records in `period`, over all threads.
  ///
  /// A period begins with the first record after the last one. What comes too often is counted, and told in the next period: `records suppressed: 41`, with
  /// `treering.suppressed` and the place of the call. Cost: some 30 ns more than a call.
  ///
  /// - Parameters:
  ///   - count: at most 1,048,575.
  ///   - period: counted in milliseconds, at least one.
  public func limited(to count: Int, per period: Duration) -> RestrainedLogger {
    RestrainedLogger(logger: self, restraint: .limited(to: count, per: period))
  }

  /// This logger, for one call that writes the first of every `count` records. They carry `treering.sampled`, which is `count`: each stands for so many.
  public func sampled(oneIn count: Int) -> RestrainedLogger {
    RestrainedLogger(logger: self, restraint: .sampled(oneIn: count))
  }

  /// This logger, for one call that says the same again and again: a record that is equal to the last one of this call, text, error and fields, is counted instead of
  /// written. When the call says something else, or says it again after `period`, then `last message repeated 41 times` comes first, with `treering.repeated`.
  ///
  /// Cost: the text is always evaluated, into memory of its own. Allocates.
  public func foldingRepeats(within period: Duration = .seconds(60)) -> RestrainedLogger {
    RestrainedLogger(logger: self, restraint: .foldingRepeats(within: period))
  }
}

extension Restraint {
  static func limited(to count: Int, per period: Duration) -> Restraint {
    .rate(count: min(max(count, 0), RateWindow.most), milliseconds: period.wholeMilliseconds)
  }

  static func sampled(oneIn count: Int) -> Restraint { .sample(count: max(count, 1)) }

  static func foldingRepeats(within period: Duration) -> Restraint { .repeats(milliseconds: period.wholeMilliseconds) }
}

extension Duration {
  fileprivate var wholeMilliseconds: UInt64 {
    let (seconds, attoseconds) = components
    let milliseconds = seconds.multipliedReportingOverflow(by: 1000)
    guard !milliseconds.overflow else { return seconds < 0 ? 1 : UInt64(Int64.max) }
    return UInt64(max(milliseconds.partialValue &+ attoseconds / 1_000_000_000_000_000, 1))
  }
}
