import Glibc

/// A FIFO (fifo(7)) whose reader comes and goes.
///
/// Opened for writing only and in non-blocking mode, so neither an absent reader nor a slow one can hold the writer: without a reader the open itself fails
/// (ENXIO) and is tried again. Lines up to 4,096 bytes stay whole beside those of other writers. What lay in the pipe when its reader went away is the kernel's to
/// lose, 64 KiB at most, and nobody can tell how much it was; the line that was cut off by that comes again to the next reader.
package final class FIFOSink: Sink {
  package let path: String
  package let format: LogFormat
  package let colours = false
  package let level: Level
  private var descriptor: Int32 = -1

  package var name: String { "fifo:\(path)" }

  /// Makes the FIFO, mode 0600, when nothing is there. An absent reader is no error. Blocking for some system calls.
  package init(path: String, format: LogFormat? = nil, level: Level = .trace) throws(LogError) {
    self.path = path
    self.format = format ?? .json
    self.level = level
    do {
      try open()
    } catch {
      switch error.code {
      // The same word for a socket, which no reader ever opens.
      case ENXIO where Self.isFIFO(path): return
      case ENOSTR, ENXIO:
        throw LogError("\(path) is not a FIFO: remove it, use another path, or a file: sink")
      case ELOOP: throw LogError("\(path) is a symbolic link: name the FIFO it points to")
      default: throw LogError("cannot open the FIFO \(path): \(error); check the directory and its permissions")
      }
    }
  }

  deinit { finish() }

  private func open() throws(Errno) {
    let opened: Int32
    do {
      opened = try Syscalls.open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY)
    } catch  where error.code == ENOENT {
      guard unsafe mkfifo(path, 0o600) == 0 || errno == EEXIST else { throw .current }
      opened = try Syscalls.open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY)
    }
    guard let status = try? Syscalls.status(of: opened), status.st_mode & S_IFMT == S_IFIFO else {
      close(opened)
      throw Errno(ENOSTR)
    }
    descriptor = opened
    Syscalls.keepFromChildren(opened)
  }

  private static func isFIFO(_ path: String) -> Bool {
    (try? Syscalls.status(ofPath: path)).map { $0.st_mode & S_IFMT == S_IFIFO } ?? true
  }

  package func intent(length: Int) -> SinkIntent { .stream }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    guard try unsafe accept(bytes, patienceMilliseconds: 100) == bytes.count else { throw Errno(EAGAIN) }
  }

  package func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    guard descriptor >= 0 else { throw Errno(ENXIO) }
    do {
      return try unsafe PipeWriter(descriptor: descriptor, kind: .nonBlocking)
        .accept(bytes, patienceMilliseconds: patienceMilliseconds)
    } catch {
      finish()
      throw error
    }
  }

  package func reopen() throws(Errno) -> Bool {
    finish()
    try open()
    return true
  }

  package func describe(_ error: Errno) -> String {
    switch error.code {
    case ENXIO: "nobody reads it"
    case EPIPE: "its reader has gone"
    case EAGAIN: "its reader does not keep up"
    case ENOSTR: "it is not a FIFO any more"
    default: "\(error)"
    }
  }

  package func synchronise() {}

  package func finish() {
    if descriptor >= 0 { Syscalls.closeKept(descriptor) }
    descriptor = -1
  }
}
