import CTreeRing
import Glibc

/// What a process left in its black box, read when it is dead. The bytes may be anything.
package struct CrashReport: Sendable {
  package static let suffix = ".box"

  /// Of the dead process.
  package let pid: UInt32
  /// The signal that was written down; nil when there was none: the process was killed from outside, or ended itself.
  package let signal: Int32?
  /// Nanoseconds since 1970.
  package let time: UInt64
  /// Where memory was touched that could not be; 0 when the signal is not about that.
  package let faultAddress: UInt64
  /// Of the thread that crashed.
  package let thread: UInt32
  package let threadName: String
  /// Instructions, the crashing one first; those behind it are where calls would have returned to.
  package let frames: [UInt64]
  /// The last debug lines, oldest first.
  package let lines: [String]
  private let maps: [UInt8]

  /// Reads a box. Nil when it is none, or another user's.
  package init?(path: String) {
    guard let descriptor = try? Syscalls.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY) else { return nil }
    defer { close(descriptor) }
    guard let status = try? Syscalls.status(of: descriptor), status.st_mode & S_IFMT == S_IFREG,
      status.st_uid == geteuid() || geteuid() == 0, status.st_size == off_t(TR_BOX_SIZE)
    else { return nil }
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(TR_BOX_SIZE)) { buffer, count in
      unsafe count = max(pread(descriptor, buffer.baseAddress, buffer.count, 0), 0)
    }
    self.init(bytes: bytes)
  }

  init?(bytes: [UInt8]) {
    guard bytes.count == Int(TR_BOX_SIZE), bytes.word64(0) == TR_BOX_MAGIC, bytes.word32(8) == TR_BOX_VERSION else {
      return nil
    }
    pid = bytes.word32(12)
    let isCrash = bytes.word32(32) >= 2
    signal = isCrash ? Int32(bitPattern: bytes.word32(36)) : nil
    thread = bytes.word32(44)
    time = bytes.word64(48)
    faultAddress = bytes.word64(56)
    threadName = String(Array(bytes[80..<96]).cString(at: 0).prefix(16)).withoutControls
    let count = min(Int(bytes.word32(72)), Int(TR_BOX_FRAMES))
    let known = (0..<count).map { bytes.word64(96 + 8 * $0) }
    frames = isCrash && known.isEmpty ? [bytes.word64(64)] : known
    maps = Array(bytes[Int(TR_BOX_MAPS)...].prefix(min(Int(bytes.word32(76)), Int(TR_BOX_MAPS_SIZE))))
    lines = Self.lines(bytes)
  }

  private static func lines(_ bytes: [UInt8]) -> [String] {
    let header = MemoryLayout<TRBoxLine>.size
    let found = (0..<Int(TR_BOX_LINE_COUNT)).compactMap { slot -> (UInt64, String)? in
      let at = Int(TR_BOX_LINES) + slot * Int(TR_BOX_LINE_SIZE)
      let number = bytes.word64(at)
      let size = min(Int(bytes.word32(at + 8)), Int(TR_BOX_LINE_SIZE) - header)
      guard number > 0, (number - 1) % UInt64(TR_BOX_LINE_COUNT) == UInt64(slot) else { return nil }
      return (number, String(decoding: bytes[(at + header)..<(at + header + size)], as: UTF8.self).withoutControls)
    }
    return found.sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// The box of a process in `directory`, or of the newest one with that pid.
  package static func path(ofProcess pid: Int32, in directory: String) -> String? {
    let names = ((try? Syscalls.list(directory)) ?? []).filter { name in
      let parts = name.dropLast(suffix.count).split(separator: "-")
      return name.hasSuffix(suffix) && parts.count >= 3 && parts[parts.count - 2] == "\(pid)"
    }
    return names.map { directory + "/" + $0 }.max { left, right in
      func time(_ path: String) -> Int { (try? Syscalls.status(ofPath: path))?.st_mtim.tv_sec ?? 0 }
      return time(left) < time(right)
    }
  }

  /// The frames as people read them: `Shop.Cart.add(_:) + 35 (shop)`. Reads the symbol tables of the files that the process consisted of, as they are now.
  /// Blocking: some 100 ms for a large program.
  package func backtrace() -> [String] { Backtrace(maps: maps).describe(frames) }
}
