import Glibc
import TreeRing

/// The folder that holds what the service keeps. Everything here blocks; it runs before the first connection.
enum DataDirectory {
  /// Makes the folder, and those above it, where they are missing.
  static func prepare(_ path: String) throws(StartError) {
    do throws(Errno) {
      try Syscalls.makeDirectories(path, mode: 0o750)
    } catch {
      throw .dataDirectory(path: path, reason: error.description)
    }
    // A trailing slash makes `stat` follow a link and refuse what is no directory.
    guard unsafe access(path + "/", W_OK | X_OK) == 0 else { throw failure(path) }
  }

  /// Runs `body` while no other process runs one on the same folder. The kernel lets go of the lock when its holder
  /// dies.
  static func withLock<Value>(_ path: String, _ body: () throws(StartError) -> Value) throws(StartError) -> Value {
    let descriptor = unsafe open(path + "/companies.lock", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    while flock(descriptor, LOCK_EX) != 0 { guard errno == EINTR else { throw failure(path) } }
    return try body()
  }

  private static func failure(_ path: String) -> StartError {
    .dataDirectory(path: path, reason: unsafe String(cString: strerror(errno)))
  }
}
