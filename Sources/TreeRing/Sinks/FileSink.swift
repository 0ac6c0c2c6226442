import CTreeRing
import Glibc

/// A regular file, appended to.
///
/// The sink holds a lock on the file's first byte while it lives. With the lock it is the only writer, so the file's length says whether a batch has
/// arrived: that is what makes records exactly-once over a crash. Without it (another process logs to the same file) batches are appended
/// whole, and a crash may repeat one.
package final class FileSink: Sink {
  package let path: String
  package let format: LogFormat
  package let colours = false
  package let level: Level
  private let descriptor: Int32
  private let isOnlyWriter: Bool

  /// Opens or makes the file, mode 0640, never through a symbolic link. Blocking.
  package init(path: String, format: LogFormat? = nil, level: Level = .trace) throws(LogError) {
    self.path = path
    self.format = format ?? .json
    self.level = level
    do {
      descriptor = try Syscalls.open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY, mode: 0o640)
    } catch {
      let hint =
        error.code == ELOOP
        ? "it is a symbolic link; name the file it points to" : "check the directory and its permissions"
      throw LogError("cannot open the log file \(path): \(error); \(hint)")
    }
    let status = try? Syscalls.status(of: descriptor)
    guard let status, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw LogError("the log file \(path) is not a regular file; use a fifo: or stderr: sink")
    }
    isOnlyWriter = tr_lock_byte(descriptor, 0) == 0
  }

  deinit { close(descriptor) }

  package func intent(length: Int) throws(Errno) -> SinkIntent {
    guard isOnlyWriter else { return .stream }
    let status = try Syscalls.status(of: descriptor)
    return .file(
      path: path, device: UInt64(status.st_dev), inode: UInt64(status.st_ino), offset: UInt64(status.st_size))
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    let before = try Syscalls.status(of: descriptor).st_size
    let (written, error) = unsafe Syscalls.writeAll(descriptor, bytes)
    guard let error else { return }
    // Half a batch would be half a line: take it back, so that the whole batch can be tried again.
    if written > 0, isOnlyWriter { ftruncate(descriptor, before) }
    throw error
  }

  package func synchronise() { fdatasync(descriptor) }
}
