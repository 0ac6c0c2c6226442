import CTreeRing
import Glibc

/// What is done with the files of one log that were put aside: too old ones are removed, the others compressed. On a thread in the background.
///
/// A file that some process still has open for writing is left for the next time: it would lose what that process writes last. The
/// lock by which this is known also keeps two processes from compressing the same file.
struct FileChore: Sendable {
  let path: String
  let rotation: FileRotation
  private let packer: (any FilePacker)?

  /// Nil when there is nothing to do for a file with this rotation. Loads the compression's library.
  init?(path: String, rotation: FileRotation?) throws(LogError) {
    guard let rotation, rotation.compression != nil || rotation.keep != nil || rotation.days != nil else { return nil }
    self.path = path
    self.rotation = rotation
    packer = try rotation.compression?.loadPacker()
  }

  /// Does what is to be done now. Blocking, for as long as compressing takes. What fails is left as it is, for the next time.
  ///
  /// - Parameter pause: called between two pieces of work, 64 KiB or one file.
  func run(_ now: UInt64, pause: () -> Void) throws(Errno) {
    let files = RotatedFiles(of: path)
    let plan = RotatedFiles.plan(try files.names(), rotation, now: now)
    for stamp in plan.abandoned { for ending in [".gz.part", ".zst.part"] { remove(stamp + ending, files) } }
    for stamp in plan.remove {
      for ending in ["", ".gz", ".zst", ".gz.part", ".zst.part"] { remove(stamp + ending, files) }
      pause()
    }
    for stamp in plan.finish { remove(stamp, files) }
    var failure: Errno?
    for stamp in plan.compress {
      do { try compress(files.path("\(files.base).\(stamp)"), pause: pause) } catch {
        // Somebody else has finished it since.
        if error.code != ENOENT { failure = error }
      }
      pause()
    }
    if let failure { throw failure }
  }

  private func remove(_ rest: String, _ files: RotatedFiles) {
    let path = files.path("\(files.base).\(rest)")
    guard let descriptor = try? Self.open(path) else { return }
    defer { LogFile.release(descriptor) }
    if Self.isLeft(descriptor) { unsafe _ = unlink(path) }
  }

  /// Compresses one file into another and puts that in its place. Until it is there, whole and on the disk, the plain file stays.
  private func compress(_ path: String, pause: () -> Void) throws(Errno) {
    guard let packer, let rotation = rotation.compression else { return }
    let source = try Self.open(path)
    defer { LogFile.release(source) }
    guard Self.isLeft(source) else { return }
    let partial = path + rotation.ending + ".part"
    // Nobody else compresses this file now: what is there is left of somebody who died.
    unsafe unlink(partial)
    let target = try Syscalls.open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    defer { close(target) }
    do throws(Errno) {
      try packer.pack(source, target, pause)
      try Self.keepAttributes(source, target)
      guard fsync(target) == 0, unsafe tr_rename_new(partial, path + rotation.ending) == 0 else { throw Errno.current }
      try Self.synchroniseDirectory(of: path)
    } catch {
      unsafe unlink(partial)
      throw error
    }
    unsafe unlink(path)
  }

  private static func open(_ path: String) throws(Errno) -> Int32 {
    let descriptor = try Syscalls.open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    guard let status = try? Syscalls.status(of: descriptor), status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw Errno(EINVAL)
    }
    // A forked child would keep the space of a file that is removed.
    Syscalls.keepFromChildren(descriptor)
    return descriptor
  }

  /// Whether no process writes to it any more, or sees to it now, or has seen to it since. Where there are no locks, that has to be believed.
  private static func isLeft(_ descriptor: Int32) -> Bool {
    guard tr_lock_byte(descriptor, LogFile.Byte.presence) == 0 || (errno != EAGAIN && errno != EACCES),
      let status = try? Syscalls.status(of: descriptor)
    else { return false }
    return status.st_nlink > 0
  }

  /// Readers, and the time that tools go by, are those of the plain file.
  private static func keepAttributes(_ source: Int32, _ target: Int32) throws(Errno) {
    let status = try Syscalls.status(of: source)
    let new = try Syscalls.status(of: target)
    let isSameGroup = new.st_gid == status.st_gid || fchown(target, uid_t.max, status.st_gid) == 0
    if new.st_uid != status.st_uid { _ = fchown(target, status.st_uid, gid_t.max) }
    fchmod(target, status.st_mode & (isSameGroup ? LogFile.mode : 0o600))
    var times = [status.st_atim, status.st_mtim]
    unsafe futimens(target, &times)
  }

  private static func synchroniseDirectory(of path: String) throws(Errno) {
    let directory = try Syscalls.open(splitPath(path).directory, O_RDONLY | O_DIRECTORY)
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw .current }
  }
}
