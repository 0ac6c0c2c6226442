import Glibc

/// Where formatted records go. Used by one thread, the one that drains the rings; it is the one that may wait, but not for long.
///
/// A sink only does I/O. Whether it works, when it is tried again, what it has missed and who is told of that is decided by the drain (`SinkLine`, with
/// the pure `SinkState`). A new kind of sink passes the contract suite (`SinkContractTests`), which asks for:
///
/// - **Whole lines.** What a reader of the destination sees is lines, each whole, in the order in which they were given.
/// - **A bounded wait.** `accept` waits `patienceMilliseconds` at most for a reader that does not read, and `reopen` a second at most for a peer.
/// - **It can fail and come back.** After a failure `reopen` tries to make a new connection (or file); each attempt is cheap.
/// - **It lets go.** `finish`, and the end of the object, close every descriptor it has opened, and nothing else.
/// - **Its errors name the thing.** `name` is a URL as `TREERING_SINK` spells it, without options; initialisers throw a ``LogError`` that names what could not be had.
package protocol Sink: AnyObject {
  /// What the notices of an outage call it, as in `file:/var/log/a.log`. Constant.
  var name: String { get }
  /// How records are spelled for it.
  var format: LogFormat { get }
  /// Whether colours help its reader.
  var colours: Bool { get }
  /// Records below this level are left out.
  var level: Level { get }
  /// What spells records for it. Called once.
  func makeFormatter() -> any Formatter
  /// What the intent journal has to remember before a batch of `length` bytes is written.
  func intent(length: Int) throws(Errno) -> SinkIntent
  /// Writes whole lines, all or none. May block. After an error nothing of the batch is left in a regular file.
  func write(_ bytes: UnsafeRawBufferPointer) throws(Errno)
  /// Takes bytes from the front of `bytes`, which are whole lines, and returns how many it took.
  ///
  /// Fewer than all means that its reader does not keep up, even after `patienceMilliseconds` of waiting: the caller comes again with the rest, unchanged; the
  /// destination may end in the middle of a line meanwhile. An error means that nothing was taken, and that nothing will be before ``reopen()``; one that strikes
  /// after a part was taken is left to the next call. A sink that cannot take a part implements ``write(_:)`` only.
  func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int
  /// Tries to make a lost connection anew. Called after a failure, with longer and longer pauses between. True when the destination knows nothing of a line that
  /// was cut off, so that the line has to come again from its start.
  func reopen() throws(Errno) -> Bool
  /// The failure in words that help: `nobody reads it` says more than `No such device or address`.
  func describe(_ error: Errno) -> String
  /// Whether it can work again after this error. When it cannot, what comes is left out from then on, and counted.
  func canReturn(after error: Errno) -> Bool
  /// Makes what was written durable, as far as the sink can.
  func synchronise()
  /// Does what there is to do without a record: a file is put aside at midnight, say. Called when the rings have just become empty, before the writer parks, and for a
  /// flush; a few system calls at most.
  ///
  /// Returns when it wants to be called again, in nanoseconds since 1970, though nothing is logged; nil: never. A process that logs nothing wakes up for nothing else.
  func attend() -> UInt64?
  /// Ends it, with a bounded wait for what belongs to it (a child process). Nothing is written after that.
  func finish()
}

extension Sink {
  package var name: String { "\(Self.self)" }
  package func makeFormatter() -> any Formatter { format.makeFormatter(colours: colours) }

  package func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    try unsafe write(bytes)
    return bytes.count
  }

  package func reopen() throws(Errno) -> Bool { true }
  package func describe(_ error: Errno) -> String { error.code == EAGAIN ? "its reader does not keep up" : "\(error)" }
  package func canReturn(after error: Errno) -> Bool { true }
  package func attend() -> UInt64? { nil }
  package func finish() {}
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
  package let name = "null:"
  package let format = LogFormat.json
  package let colours = false
  package let level: Level

  package init(level: Level = .trace) { self.level = level }
  package func intent(length: Int) -> SinkIntent { .stream }
  package func write(_ bytes: UnsafeRawBufferPointer) {}
  package func synchronise() {}
}
