import Glibc

/// Standard error, standard output, or any other open descriptor that is only written to. It never makes the descriptor non-blocking: it is shared with
/// other processes.
///
/// A reader that has gone away (EPIPE) does not come back to the same pipe: what is written from then on is discarded, and counted in ``discarded``.
package final class StreamSink: Sink {
  package let format: LogFormat
  package let colours: Bool
  package let level: Level
  private let descriptor: Int32
  private var isReaderGone = false
  /// Bytes that found no reader.
  package private(set) var discarded = 0

  /// - Parameter format: nil chooses console on a terminal and JSON elsewhere.
  package init(descriptor: Int32, format: LogFormat? = nil, level: Level = .trace) {
    self.descriptor = descriptor
    self.level = level
    let isTerminal = isatty(descriptor) == 1
    self.format = format ?? (isTerminal ? .console : .json)
    // https://no-color.org: any value but the empty one.
    colours = isTerminal && (Syscalls.environment("NO_COLOR") ?? "").isEmpty
  }

  package func intent(length: Int) -> SinkIntent { .stream }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    guard !isReaderGone else {
      discarded += bytes.count
      return
    }
    let (written, error) = Syscalls.withoutSIGPIPE { unsafe Syscalls.writeAll(descriptor, bytes) }
    guard let error else { return }
    guard error.code == EPIPE || error.code == EBADF else { throw error }
    isReaderGone = true
    discarded += bytes.count - written
  }

  package func synchronise() {}
}
