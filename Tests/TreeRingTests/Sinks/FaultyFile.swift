import Glibc
import TestSupport

@testable import TreeRing

/// A directory for a log file that fails and is mended.
final class FaultyPlace {
  /// What can be wrong with it.
  enum Fault {
    /// The disk is full, to the last byte.
    case fullDisk
    /// The file was removed, and its file system can only be read.
    case readOnlyDisk
    /// The file was removed, and its directory, too.
    case noDirectory
    /// The file was removed, and its directory is not to be written to. For root that is no fault.
    case lockedDirectory
  }

  private let fault: Fault
  private let place: String
  private var isMounted = false
  private var ballast: String { place + "/ballast" }

  /// The log file's.
  var path: String { place + "/log" }

  /// Makes it below `directory`.
  init(_ fault: Fault, in directory: TemporaryDirectory) throws {
    self.fault = fault
    place = directory.file("place")
    try Syscalls.makeDirectories(place)
    if fault == .fullDisk { try Self.mount("none", place, "tmpfs", 0, "size=16m") }
    isMounted = fault == .fullDisk
  }

  deinit { if isMounted { unsafe umount2(place, Int32(MNT_DETACH)) } }

  /// Makes it another user's.
  func give(to user: UInt32) throws {
    guard unsafe chown(place, user, user) == 0 else { throw Errno.current }
  }

  private static func mount(_ source: String, _ place: String, _ type: String?, _ flags: Int, _ data: String?) throws {
    let flags = UInt(flags)
    let result =
      if let type, let data { unsafe Glibc.mount(source, place, type, flags, data) } else {
        unsafe Glibc.mount(source, place, nil, flags, nil)
      }
    if result != 0 { throw Errno.current }
  }

  func fail() throws {
    switch fault {
    case .fullDisk: try Self.fill(ballast)
    case .readOnlyDisk: try becomeReadOnly()
    case .noDirectory:
      unsafe unlink(path)
      guard unsafe rmdir(place) == 0 else { throw Errno.current }
    case .lockedDirectory:
      unsafe unlink(path)
      guard unsafe chmod(place, 0o555) == 0 else { throw Errno.current }
    }
  }

  /// The file is removed by the way that is still writable, when nobody can make a new one any more: one that is open for writing would be in the way.
  private func becomeReadOnly() throws {
    let below = try Syscalls.open(place, O_RDONLY | O_DIRECTORY)
    defer { close(below) }
    try Self.mount(place, place, nil, MS_BIND, nil)
    isMounted = true
    try Self.mount("none", place, nil, MS_BIND | MS_REMOUNT | MS_RDONLY, nil)
    guard unsafe unlinkat(below, "log", 0) == 0 else { throw Errno.current }
  }

  func mend() throws {
    switch fault {
    case .fullDisk: unsafe unlink(ballast)
    case .readOnlyDisk:
      // The program may just be looking there.
      guard unsafe umount2(place, Int32(MNT_DETACH)) == 0 else { throw Errno.current }
      isMounted = false
    case .noDirectory: try Syscalls.makeDirectories(place)
    case .lockedDirectory: guard unsafe chmod(place, 0o700) == 0 else { throw Errno.current }
    }
  }

  /// Whether this process may mount something.
  static func canMount() -> Bool {
    guard let directory = try? TemporaryDirectory(), (try? mount("none", directory.path, "tmpfs", 0, "size=64k")) != nil
    else { return false }
    unsafe umount2(directory.path, Int32(MNT_DETACH))
    return true
  }

  /// Fills the disk with a file, to the last byte.
  static func fill(_ path: String) throws {
    let descriptor = try Syscalls.open(path, O_WRONLY | O_CREAT)
    defer { close(descriptor) }
    let bytes = [UInt8](repeating: 0, count: 4096)
    for size in [4096, 1] { while unsafe write(descriptor, bytes, size) > 0 {} }
    if errno != ENOSPC { throw Errno.current }
  }
}

/// A file sink in such a place.
final class FaultyFileSubject: FileSubject {
  private let place: FaultyPlace

  /// Opens a sink in a directory of its own below `directory`.
  init(_ fault: FaultyPlace.Fault, in directory: TemporaryDirectory) throws {
    place = try FaultyPlace(fault, in: directory)
    try super.init(path: place.path)
  }

  override func fail() throws { try place.fail() }
  override func mend() throws { try place.mend() }
}

extension SinkKind {
  static let fileWithoutDirectory = SinkKind(
    description: "file, directory removed", open: { try FaultyFileSubject(.noDirectory, in: $0) }, canFail: true)

  /// Where nothing can be mounted there is no small disk and, for root, no directory that it may not write to.
  static let filesOnDisks: [SinkKind] = {
    guard FaultyPlace.canMount() else {
      print("not run: file sinks on a full disk and in a read-only directory: nothing can be mounted here")
      return []
    }
    return [
      SinkKind(description: "file, disk full", open: { try FaultyFileSubject(.fullDisk, in: $0) }, canFail: true),
      SinkKind(
        description: "file, read-only disk", open: { try FaultyFileSubject(.readOnlyDisk, in: $0) },
        canFail: true),
    ]
  }()
}
