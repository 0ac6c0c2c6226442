/// Where formatted records go. Used by one thread, the one that drains the rings; it is the one that may wait.
package protocol Sink: AnyObject {
  /// How records are spelled for it.
  var format: LogFormat { get }
  /// Whether colours help its reader.
  var colours: Bool { get }
  /// Records below this level are left out.
  var level: Level { get }
  /// What the intent journal has to remember before a batch of `length` bytes is written.
  func intent(length: Int) throws(Errno) -> SinkIntent
  /// Writes whole lines. May block. After an error nothing of the batch is left in a regular file.
  func write(_ bytes: UnsafeRawBufferPointer) throws(Errno)
  /// Makes what was written durable, as far as the sink can.
  func synchronise()
  /// Does what there is to do without a record: a file is put aside at midnight, say. Called when the rings are empty; cheap.
  ///
  /// Returns when it wants to be called again, in nanoseconds since 1970, though nothing is logged; nil: never. A process that logs nothing wakes up for nothing else.
  func attend() -> UInt64?
}

extension Sink {
  package func attend() -> UInt64? { nil }
}

/// What can be known afterwards of a batch that was on its way to a sink when the process died.
package enum SinkIntent: Sendable, Equatable {
  /// A regular file with one writer: its length tells.
  ///
  /// `birth` is when the file came to be, nanoseconds since 1970, or 0: numbers of inodes are used again.
  case file(path: String, device: UInt64, inode: UInt64, birth: UInt64, offset: UInt64)
  /// Anything else: nothing can be known.
  case stream
}

/// Reads and forgets.
package final class NullSink: Sink {
  package let format = LogFormat.json
  package let colours = false
  package let level: Level

  package init(level: Level = .trace) { self.level = level }
  package func intent(length: Int) -> SinkIntent { .stream }
  package func write(_ bytes: UnsafeRawBufferPointer) {}
  package func synchronise() {}
}
