import Glibc

/// Standard error, standard output, or any other open descriptor that is only written to. It never makes the descriptor non-blocking: it is shared with
/// other processes.
///
/// A reader that does not read makes it wait as long as its caller has patience, and no longer (`PipeWriter`). A reader that has gone away (EPIPE) does not come back to
/// the same pipe, so that error is final. The descriptor is not this sink's and stays open.
package final class StreamSink: Sink {
  package let name: String
  package let format: LogFormat
  package let colours: Bool
  package let level: Level
  private let writer: PipeWriter

  /// - Parameter format: nil chooses console on a terminal and JSON elsewhere.
  package init(descriptor: Int32, format: LogFormat? = nil, level: Level = .trace) {
    self.level = level
    name =
      descriptor == STDERR_FILENO ? "stderr:" : descriptor == STDOUT_FILENO ? "stdout:" : "descriptor \(descriptor)"
    writer = PipeWriter(descriptor: descriptor, kind: PipeWriter.kind(of: descriptor))
    let isTerminal = isatty(descriptor) == 1
    self.format = format ?? (isTerminal ? .console : .json)
    // https://no-color.org: any value but the empty one.
    colours = isTerminal && (Syscalls.environment("NO_COLOR") ?? "").isEmpty
  }

  package func intent(length: Int) -> SinkIntent { .stream }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    var taken = 0
    while taken < bytes.count {
      taken += try unsafe accept(UnsafeRawBufferPointer(rebasing: bytes[taken...]), patienceMilliseconds: 1000)
    }
  }

  package func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    try unsafe writer.accept(bytes, patienceMilliseconds: patienceMilliseconds)
  }

  /// The same descriptor: a line that was cut off goes on where it was cut.
  package func reopen() -> Bool { false }

  package func canReturn(after error: Errno) -> Bool { error.code != EPIPE && error.code != EBADF }

  package func synchronise() {}
}
