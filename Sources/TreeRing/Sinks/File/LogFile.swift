import CTreeRing
import Glibc

/// One open log file, and the locks by which its writers know of each other.
///
/// All locks are open-file-description locks on single bytes of the file itself, so they follow it when it is renamed:
///
/// | byte | shared | exclusive |
/// |---|---|---|
/// | 0, presence | everybody who has the file open for writing | the only writer, while a batch is under way; whoever compresses or removes a file put aside |
/// | 1, rotation | | whoever puts the file aside |
/// | 2, append | | a writer among several, while it appends; whoever settles a dead writer's batch |
///
/// A writer tries to make its presence exclusive before each batch. If it can, nobody else has the file open: the file's length then says whether the batch has
/// arrived. A newcomer meanwhile waits until the batch is through, a tenth of a second at most.
final class LogFile {
  let descriptor: Int32
  let identity: Identity
  private var hasPresence = false

  /// Which file it is, whatever its name.
  struct Identity: Equatable {
    var device: UInt64
    var inode: UInt64

    init(_ status: stat) {
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
    }
  }

  enum Byte {
    static let presence: Int64 = 0
    static let rotation: Int64 = 1
    static let append: Int64 = 2
  }

  /// The widest mode of a log file.
  static let mode: UInt32 = 0o640

  /// Opens the file, or makes it: with mode 0640, or with owner and mode of the file whose place it takes, as far as 0640 allows and this process may.
  /// Never through a symbolic link. Blocking.
  init(_ path: String, inPlaceOf old: stat? = nil) throws(Errno) {
    descriptor = try Self.open(path, inPlaceOf: old)
    do throws(Errno) {
      let status = try Syscalls.status(of: descriptor)
      // Nobody reads a regular file's mode from this error: the caller asks what it is.
      guard status.st_mode & S_IFMT == S_IFREG else { throw Errno(EINVAL) }
      identity = Identity(status)
    } catch {
      close(descriptor)
      throw error
    }
    Syscalls.keepFromChildren(descriptor)
    for _ in 0..<100 {
      if arrive() { break }
      Syscalls.sleep(nanoseconds: 1_000_000)
    }
  }

  deinit { Self.release(descriptor) }

  /// Closes a descriptor and lets go of its locks. Closing alone does not, while a child that is being spawned has a copy of it.
  static func release(_ descriptor: Int32) {
    for byte in [Byte.presence, Byte.rotation, Byte.append] { _ = tr_unlock_byte(descriptor, byte) }
    Syscalls.closeKept(descriptor)
  }

  private static func open(_ path: String, inPlaceOf old: stat?) throws(Errno) -> Int32 {
    let flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK
    while true {
      do { return try Syscalls.open(path, flags) } catch { if error.code != ENOENT { throw error } }
      do {
        let descriptor = try Syscalls.open(path, flags | O_CREAT | O_EXCL, mode: mode)
        if let old { adopt(descriptor, old) }
        return descriptor
      } catch {
        // Somebody else has made it since: that is the file then.
        if error.code != EEXIST { throw error }
      }
    }
  }

  /// Gives a new file the owner and the mode of the old one, or what may be had of them: less than the old one's readers, never more.
  private static func adopt(_ descriptor: Int32, _ old: stat) {
    fchmod(descriptor, old.st_mode & mode & 0o600)
    guard let new = try? Syscalls.status(of: descriptor) else { return }
    let isSameGroup = new.st_gid == old.st_gid || fchown(descriptor, uid_t.max, old.st_gid) == 0
    if new.st_uid != old.st_uid { _ = fchown(descriptor, old.st_uid, gid_t.max) }
    if isSameGroup { fchmod(descriptor, old.st_mode & mode) }
  }

  /// Whether `path` leads to this file.
  func isAt(_ path: String) -> Bool {
    guard let status = try? Syscalls.status(ofPath: path) else { return false }
    return Identity(status) == identity
  }

  func status() throws(Errno) -> stat { try Syscalls.status(of: descriptor) }

  /// When the file came to be; 0 where that is not known.
  private(set) lazy var birth = tr_birth_time(descriptor)

  // MARK: who else writes

  /// Shows that somebody writes here. False while another is the only writer, in the middle of a batch.
  private func arrive() -> Bool {
    hasPresence = tr_share_byte(descriptor, Byte.presence) == 0
    // Where there are no locks there is nothing to wait for; nobody is ever the only writer then.
    return hasPresence || (errno != EAGAIN && errno != EACCES)
  }

  /// Whether nobody else has the file open; then nobody can open it before `share()`.
  func claim() -> Bool {
    if tr_lock_byte(descriptor, Byte.presence) == 0 { return true }
    if !hasPresence { _ = arrive() }
    return false
  }

  /// Ends what `claim()` began, and shows presence again.
  func share() { _ = arrive() }

  /// Takes a lock, waiting a second at most: its holder may have been stopped, and logging does not wait for it.
  func lock(_ byte: Int64) -> Bool {
    for _ in 0..<1000 {
      if tr_lock_byte(descriptor, byte) == 0 { return true }
      guard errno == EAGAIN || errno == EACCES else { return false }
      Syscalls.sleep(nanoseconds: 1_000_000)
    }
    return false
  }

  func unlock(_ byte: Int64) { _ = tr_unlock_byte(descriptor, byte) }

  // MARK: lines

  /// Whether a file of `size` bytes ends within a line: somebody died in the middle of a write, or a disk was full.
  func endsWithinLine(size: off_t) -> Bool {
    var last: UInt8 = 0
    guard size > 0, unsafe pread(descriptor, &last, 1, size - 1) == 1 else { return false }
    return last != UInt8(ascii: "\n")
  }

  /// Ends a cut line, so that the next one stands for itself.
  func endLine() throws(Errno) {
    var newline = UInt8(ascii: "\n")
    while unsafe Glibc.write(descriptor, &newline, 1) != 1 {
      if errno != EINTR { throw .current }
    }
  }

  /// Takes `count` bytes from the end of the file, which the only writer has just put behind the first `start` bytes.
  ///
  /// They are the last ones even when the file was cut meanwhile (`copytruncate`). A file that is longer than that has got lines of somebody who knows nothing of
  /// the locks: they are not cut off, and a cut line is ended.
  func takeBack(_ count: Int, from start: off_t) {
    guard count > 0, let size = try? status().st_size, size > 0 else { return }
    let isLast = size <= start + off_t(count)
    if !isLast || ftruncate(descriptor, max(0, size - off_t(count))) != 0, endsWithinLine(size: size) {
      try? endLine()
    }
  }
}
