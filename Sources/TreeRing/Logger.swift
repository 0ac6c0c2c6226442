public import CTreeRing

/// Writes records under a label.
///
/// ```swift
/// let log = Logger("shop.checkout")
/// log.info("order \(order.id, "order.id") placed")
/// ```
///
/// A logger is a value of three words. One made from a literal is a constant in the program: a disabled call through it is one load and one branch.
/// An enabled call copies its bytes into the calling thread's ring, in shared memory, and returns: no lock, no allocation for
/// scalars and strings, no system call (but for the first call on a thread, the wake of a sleeping writer, and a full ring under `block`).
/// It is safe from any thread and task, in the arguments of another log call, and in a signal handler once the program has logged before.
@frozen
@safe
public struct Logger: Sendable {
  @usableFromInline let name: LogKey
  @usableFromInline let context: LogContext?

  /// A logger with a label from the source.
  @_transparent
  public init(_ label: StaticString) {
    name = LogKey(stringLiteral: label)
    context = nil
  }

  /// A logger with a label made at run time. The first one of a label keeps a copy of it for ever, later ones share that copy. Takes a lock.
  @_disfavoredOverload
  public init(_ label: String) {
    name = NameTable.shared.intern(label)
    context = nil
  }

  @inlinable
  init(name: LogKey, context: LogContext?) {
    self.name = name
    self.context = context
  }

  /// The label.
  public var label: String { name.text }

  /// Whether a record of `level` would be written. Cost: one load and one branch when it would not.
  @inlinable
  @inline(__always)
  public func isEnabled(_ level: Level) -> Bool {
    unsafe tr_gate_passes(tr_logger_gate(name.start), level.rawValue) && CallPath.allows(name, level, context)
  }

  /// A child logger: every record it writes carries `fields`, which are encoded once, here. One of them replaces a field of its name that this logger has. Allocates.
  public func with(_ fields: (inout LogFields) -> Void) -> Logger {
    let segments = (context?.segments ?? []).replacing(fields)
    return Logger(name: name, context: LogContext(segments, recording: context?.recording))
  }
}

extension LogKey {
  /// The bytes as a string. Allocates.
  var text: String { unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self) }
}
