public import CTreeRing

/// A named stream of debug output, off unless `DEBUG` names it, in the language of npm's `debug`.
///
/// ```swift
/// let debug = DebugChannel("shop:db")
/// debug("\(rows, "rows") rows")        // DEBUG=shop:* my-program
/// ```
///
/// A channel from a literal is a constant in the program. While it is off a call is one load and one branch, and its arguments are not evaluated,
/// whatever other channels are on. Names are compared byte by byte. `DEBUG=?` lists the channels of a program, called or not: best are globals and statics.
@frozen
@safe
public struct DebugChannel: Sendable {
  @usableFromInline let key: LogKey
  @usableFromInline let about: LogKey

  /// A channel with a name from the source.
  ///
  /// - Parameter about: what a list of channels says beside the name, in a few words.
  @_transparent
  public init(_ name: StaticString, _ about: StaticString = "") {
    key = LogKey(stringLiteral: name)
    self.about = LogKey(stringLiteral: about)
  }

  /// A channel with a name made at run time, kept for ever. Takes a lock.
  @_disfavoredOverload
  public init(_ name: String, _ about: StaticString = "") {
    key = NameTable.shared.intern(name)
    self.about = LogKey(stringLiteral: about)
    NamedChannels.shared.insert(key, about: self.about)
  }

  /// The channel's name.
  public var name: String { key.text }

  /// Whether the channel is on. Reading costs one load and one branch when it is not.
  ///
  /// Setting it overrides `DEBUG` for every channel of this name, until ``resetIsEnabled()`` gives it back. Blocks nobody; each change keeps a few hundred
  /// bytes for ever.
  @inlinable
  @inline(__always)
  public var isEnabled: Bool {
    get {
      guard unsafe tr_gate_passes(tr_channel_gate(key.start), Level.debug.rawValue) else { return false }
      note("", 0)
      return CallPath.isChannelOn(key)
    }
    nonmutating set { override(newValue) }
  }

  /// Leaves it to `DEBUG` and ``enable(_:)`` again whether the channel is on.
  public func resetIsEnabled() { override(nil) }

  @usableFromInline
  func override(_ isEnabled: Bool?) {
    _ = LogSystem.isStartedOrStarts()
    LogPolicy.update { $0.overriding(key, isEnabled) }
  }

  /// Writes a line when the channel is on.
  ///
  /// - Parameters:
  ///   - file: where the call stands, for lists of channels. Costs nothing when the program runs.
  ///   - line: the same.
  @inlinable
  @inline(__always)
  public func callAsFunction(
    _ text: @autoclosure () -> LogText, file: StaticString = #fileID, line: UInt32 = #line,
    column: UInt32 = #column, fields: (inout LogFields) -> Void = { _ in }
  ) {
    let gate = unsafe tr_channel_gate(key.start)
    guard tr_gate_passes(gate, Level.debug.rawValue) else { return }
    note(file, UInt(line))
    let label = tr_gate_label(gate)
    guard _fastPath(label != 0) || CallPath.allowsChannel(key) else { return }
    CallPath.record(
      level: .debug, flags: RecordFlags.channel, name: key, label: label != 0 ? label : CallPath.channelLabel(key),
      context: nil, source: LogSource(file, line, column), text: text, error: { nil }, fields: fields)
  }

  /// Writes a line with a stored message when the channel is on.
  @_disfavoredOverload
  @inlinable
  @inline(__always)
  public func callAsFunction(
    _ message: @autoclosure () -> LogMessage, file: StaticString = #fileID, line: UInt32 = #line,
    column: UInt32 = #column, fields: (inout LogFields) -> Void = { _ in }
  ) {
    guard unsafe tr_gate_passes(tr_channel_gate(key.start), Level.debug.rawValue) else { return }
    note(file, UInt(line))
    write(message, LogSource(file, line, column), fields)
  }

  @usableFromInline
  @inline(never)
  func write(_ message: () -> LogMessage, _ source: LogSource, _ fields: (inout LogFields) -> Void) {
    guard CallPath.allowsChannel(key) else { return }
    let stored = message()
    CallPath.record(
      level: .debug, flags: RecordFlags.channel, name: key, label: CallPath.channelLabel(key), context: nil,
      source: source, text: { LogText(stored: stored) }, error: { nil }, fields: fields)
  }

  /// For ``DebugCatalog``: no instruction of the program.
  @inlinable
  @inline(__always)
  func note(_ file: StaticString, _ line: UInt) {
    unsafe tr_note_channel(
      key.start, key.count, about.start, about.count, file.utf8Start, file.utf8CodeUnitCount, Int(line))
  }

  /// The channel `name:subname`. Takes a lock.
  public func extend(_ subname: String, delimiter: String = ":") -> DebugChannel {
    DebugChannel(name + delimiter + subname)
  }

  /// Switches on exactly the channels that `spec` names, for the whole process, made before or after. Replaces, never adds.
  public static func enable(_ spec: String) {
    _ = LogSystem.isStartedOrStarts()
    LogPolicy.update { $0.with(DebugFilter(parsing: spec)) }
  }

  /// Switches every channel off, and returns what was on, in a form that ``enable(_:)`` takes back.
  public static func disable() -> String {
    _ = LogSystem.isStartedOrStarts()
    return LogPolicy.update { $0.with(.off) }?.filter.spec ?? ""
  }
}
