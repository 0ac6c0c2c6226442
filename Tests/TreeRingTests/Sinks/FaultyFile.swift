import Glibc
import TestSupport

@testable import TreeRing

/// A file sink whose disk, or whose directory, fails and is mended.
final class FaultyFileSubject: FileSubject {
  /// What can be wrong with the place of a log file.
  enum Fault {
    /// The disk is full, to the last byte.
    case fullDisk
    /// The file was removed, and its directory can only be read.
    case readOnlyDirectory
    /// The file was removed, and its directory, too.
    case noDirectory
  }

  private let fault: Fault
  private let place: String
  private var isMounted = false
  private var ballast: String { place + "/ballast" }

  /// Opens a sink in a directory of its own below `directory`.
  init(_ fault: Fault, in directory: TemporaryDirectory) throws {
    self.fault = fault
    place = directory.file("place")
    try Syscalls.makeDirectories(place)
    if fault == .fullDisk { try Self.mount("none", place, "tmpfs", 0, "size=256k") }
    isMounted = fault == .fullDisk
    try super.init(path: place + "/log")
  }

  deinit { if isMounted { unsafe umount2(place, Int32(MNT_DETACH)) } }

  private static func mount(_ source: String, _ place: String, _ type: String?, _ flags: Int, _ data: String?) throws {
    let flags = UInt(flags)
    let result =
      if let type, let data { unsafe Glibc.mount(source, place, type, flags, data) } else {
        unsafe Glibc.mount(source, place, nil, flags, nil)
      }
    if result != 0 { throw Errno.current }
  }

  override func fail() throws {
    switch fault {
    case .fullDisk: try Self.fill(ballast)
    case .readOnlyDirectory:
      unsafe unlink(path)
      try Self.mount(place, place, nil, MS_BIND, nil)
      isMounted = true
      try Self.mount("none", place, nil, MS_BIND | MS_REMOUNT | MS_RDONLY, nil)
    case .noDirectory:
      unsafe unlink(path)
      guard unsafe rmdir(place) == 0 else { throw Errno.current }
    }
  }

  override func mend() throws {
    switch fault {
    case .fullDisk: unsafe unlink(ballast)
    case .readOnlyDirectory:
      guard unsafe umount2(place, 0) == 0 else { throw Errno.current }
      isMounted = false
    case .noDirectory: try Syscalls.makeDirectories(place)
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

extension SinkKind {
  static let fileWithoutDirectory = SinkKind(
    description: "file, directory removed", open: { try FaultyFileSubject(.noDirectory, in: $0) }, canFail: true)

  /// Where nothing can be mounted there is no small disk and, for root, no directory that it may not write to.
  static let filesOnDisks: [SinkKind] = {
    guard FaultyFileSubject.canMount() else {
      print("not run: file sinks on a full disk and in a read-only directory: nothing can be mounted here")
      return []
    }
    return [
      SinkKind(description: "file, disk full", open: { try FaultyFileSubject(.fullDisk, in: $0) }, canFail: true),
      SinkKind(
        description: "file, read-only directory", open: { try FaultyFileSubject(.readOnlyDirectory, in: $0) },
        canFail: true),
    ]
  }()
}
