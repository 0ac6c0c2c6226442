public import CTreeRing

/// A debug channel whose calls hold themselves back, each call in the source for itself; the same as a ``RestrainedLogger``, of a channel.
///
/// ```swift
/// debug.limited(to: 10, per: .seconds(1))("\(rows, "rows") rows")
/// ```
///
/// A channel that is off costs what it costs everywhere, and counts for nothing.
@frozen
public struct RestrainedChannel: Sendable {
  @usableFromInline let channel: DebugChannel
  @usableFromInline let restraint: Restraint

  @inlinable
  init(channel: DebugChannel, restraint: Restraint) {
    self.channel = channel
    self.restraint = restraint
  }

  /// Writes a line when the channel is on, unless the call is held back.
  @inlinable
  @inline(__always)
  public func callAsFunction(
    _ text: @autoclosure () -> LogText, file: StaticString = #fileID, line: UInt32 = #line,
    column: UInt32 = #column, fields: (inout LogFields) -> Void = { _ in }
  ) {
    guard unsafe tr_gate_passes(tr_channel_gate(channel.key.start), Level.debug.rawValue) else { return }
    channel.note(file, UInt(line))
    restrained(LogSource(file, line, column), text, fields)
  }

  @usableFromInline
  @inline(never)
  func restrained(_ source: LogSource, _ text: () -> LogText, _ fields: (inout LogFields) -> Void) {
    guard CallPath.allowsChannel(channel.key) else { return }
    RestrainedCall(
      restraint: restraint, level: .debug, source: source, name: channel.key, context: nil, isChannel: true,
      canBeToldLater: LogRecorder.of(nil) == nil
    ).make(text, { nil }, fields)
  }
}

extension DebugChannel {
  /// This channel, for one call that writes at most `count` lines in `period`, over all threads: see ``Logger/limited(to:per:)``.
  public func limited(to count: Int, per period: Duration) -> RestrainedChannel {
    RestrainedChannel(channel: self, restraint: .limited(to: count, per: period))
  }

  /// This channel, for one call that writes the first of every `count` lines: see ``Logger/sampled(oneIn:)``.
  public func sampled(oneIn count: Int) -> RestrainedChannel {
    RestrainedChannel(channel: self, restraint: .sampled(oneIn: count))
  }

  /// This channel, for one call that says the same again and again: see ``Logger/foldingRepeats(within:)``.
  public func foldingRepeats(within period: Duration = .seconds(60)) -> RestrainedChannel {
    RestrainedChannel(channel: self, restraint: .foldingRepeats(within: period))
  }
}
