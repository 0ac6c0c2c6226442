public import CTreeRing

/// A named stream of debug output, off unless `DEBUG` names it, in the language of npm's `debug`.
///
/// ```swift
/// let debug = DebugChannel("shop:db")
/// debug("\(rows, "rows") rows")        // DEBUG=shop:* my-program
/// ```
///
/// A channel from a literal is a constant in the program. While it is off a call is one load and one branch, and its arguments are not evaluated,
/// whatever other channels are on. Names are compared byte by byte.
@frozen
@safe
public struct DebugChannel: Sendable {
  @usableFromInline let key: LogKey

  /// A channel with a name from the source.
  @inlinable
  @inline(__always)
  public init(_ name: StaticString) { key = LogKey(stringLiteral: name) }

  /// A channel with a name made at run time, kept for ever. Takes a lock.
  @_disfavoredOverload
  public init(_ name: String) { key = NameTable.shared.intern(name) }

  /// The channel's name.
  public var name: String { key.text }

  /// Whether the channel is on. Cost: one load and one branch when it is not.
  @inlinable
  @inline(__always)
  public var isEnabled: Bool {
    unsafe tr_gate_passes(tr_channel_gate(key.start), Level.debug.rawValue) && CallPath.allowsChannel(key)
  }

  /// Writes a line when the channel is on.
  @inlinable
  @inline(__always)
  public func callAsFunction(
    _ text: @autoclosure () -> LogText, file: StaticString = #fileID, line: UInt32 = #line,
    column: UInt32 = #column, fields: (inout LogFields) -> Void = { _ in }
  ) {
    let gate = unsafe tr_channel_gate(key.start)
    guard tr_gate_passes(gate, Level.debug.rawValue) else { return }
    let label = tr_gate_label(gate)
    guard label != 0 || CallPath.allowsChannel(key) else { return }
    CallPath.record(
      level: .debug, flags: RecordFlags.channel, name: key, label: label != 0 ? label : CallPath.label(key),
      context: nil, source: LogSource(file, line, column), text: text, error: { nil }, fields: fields)
  }

  /// The channel `name:subname`. Takes a lock.
  public func extend(_ subname: String, delimiter: String = ":") -> DebugChannel {
    DebugChannel(name + delimiter + subname)
  }

  /// Switches on exactly the channels that `spec` names, for the whole process, made before or after. Replaces, never adds.
  public static func enable(_ spec: String) { replaceFilter(with: DebugFilter(parsing: spec)) }

  /// Switches every channel off, and returns what was on, in a form that ``enable(_:)`` takes back.
  public static func disable() -> String {
    _ = LogSystem.isStartedOrStarts()
    let spec = LogPolicy.current?.filter.spec ?? ""
    replaceFilter(with: .off)
    return spec
  }

  private static func replaceFilter(with filter: DebugFilter) {
    _ = LogSystem.isStartedOrStarts()
    LogPolicy.current = LogPolicy.current?.with(filter)
  }
}
