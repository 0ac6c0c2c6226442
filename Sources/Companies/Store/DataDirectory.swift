import Glibc

/// The folder that holds what the service keeps. Everything here blocks; it runs before the first connection.
enum DataDirectory {
  /// Makes the folder, and those above it, where they are missing.
  static func prepare(_ path: String) throws(StartError) {
    try make(path)
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw failure(path) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw .dataDirectory(path: path, reason: "it is not a directory")
    }
    guard unsafe access(path, W_OK | X_OK) == 0 else { throw failure(path) }
  }

  private static func make(_ path: String) throws(StartError) {
    guard unsafe mkdir(path, 0o750) != 0, errno != EEXIST else { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else { throw failure(path) }
    try make(String(path[..<slash]))
    guard unsafe mkdir(path, 0o750) == 0 || errno == EEXIST else { throw failure(path) }
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
