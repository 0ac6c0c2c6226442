import CTreeRing
import Glibc

/// What a process left in its black box, read when it is dead. The bytes may be anything.
package struct CrashReport: Sendable {
  package static let suffix = ".box"

  /// Of the dead process.
  package let pid: UInt32
  /// When it started, clock ticks after boot: with the pid, who it was.
  package let startTime: UInt64
  /// The signal that was written down; nil when there was none: the process was killed from outside, or ended itself.
  package let signal: Int32?
  /// When it crashed, nanoseconds since 1970.
  package let time: UInt64
  /// Where memory was touched that could not be; 0 when the signal is not about that.
  package let faultAddress: UInt64
  /// Of the thread that crashed.
  package let thread: UInt32
  package let threadName: String
  /// Instructions, the crashing one first; those behind it are where calls would have returned to.
  package let frames: [UInt64]
  private let maps: [UInt8]
  private let kept: [FlightLine]

  /// Reads a box. Nil when it is none, or another user's. Blocking: a file of 160 KiB in memory.
  package init?(path: String) {
    guard let descriptor = try? Syscalls.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY) else { return nil }
    defer { close(descriptor) }
    guard let status = try? Syscalls.status(of: descriptor), status.st_mode & S_IFMT == S_IFREG,
      status.st_uid == geteuid() || geteuid() == 0, status.st_size <= off_t(BlackBox.size(withLines: true))
    else { return nil }
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
      unsafe count = max(pread(descriptor, buffer.baseAddress, buffer.count, 0), 0)
    }
    self.init(bytes: bytes)
  }

  init?(bytes: [UInt8]) {
    guard bytes.count >= BlackBox.size(withLines: false), bytes.word64(0) == TR_BOX_MAGIC,
      bytes.word32(8) == TR_BOX_VERSION
    else { return nil }
    pid = bytes.word32(12)
    startTime = bytes.word64(16)
    let isCrash = bytes.word32(32) >= 2
    signal = isCrash ? Int32(bitPattern: bytes.word32(36)) : nil
    thread = bytes.word32(44)
    time = bytes.word64(48)
    faultAddress = bytes.word64(56)
    threadName = (Array(bytes[80..<96]) + [0]).cString(at: 0).withoutControls
    let count = min(Int(bytes.word32(72)), Int(TR_BOX_FRAMES))
    let known = (0..<count).map { bytes.word64(96 + 8 * $0) }
    frames = isCrash && known.isEmpty ? [bytes.word64(64)] : isCrash ? known : []
    maps = Array(bytes[Int(TR_BOX_MAPS)...].prefix(min(Int(bytes.word32(76)), Int(TR_BOX_MAPS_SIZE))))
    kept = FlightLine.all(in: bytes[Int(TR_BOX_LINES)...])
  }

  /// The last debug lines, oldest first, as they are printed where there is no terminal: time, channel, text, fields.
  package func lines(last count: Int = Int(TR_FLIGHT_LINES)) -> [String] {
    let formatter = ConsoleFormatter(colours: false, isMultiline: false)
    return kept.suffix(count).map { line in
      let output = OutputBuffer(capacity: 512)
      unsafe line.withRecord { unsafe formatter.append($0, $1, to: output) }
      let text = unsafe String(decoding: output.bytes, as: UTF8.self)
      return (text.hasSuffix("\n") ? String(text.dropLast()) : text).withoutControls
    }
  }

  /// The frames as people read them: `Shop.Cart.add(_:) + 35 (shop)`. Reads the symbol tables of the files that the process consisted of, as they are now.
  /// Blocking: some 100 ms for a large program.
  package func backtrace() -> [String] { Backtrace(maps: maps).describe(frames) }

  /// The frames without their functions' names: `0x51c30 in shop`, the place in the file. Does not block.
  package var addresses: [String] { Backtrace(maps: maps).places(frames) }
}

// MARK: the files

extension CrashReport {
  /// Where a process with this ring file has its box.
  static func path(besideRing ring: String) -> String { ring.replacingSuffix(RingDirectory.suffix, by: suffix) }

  /// Reads the box of a dead process in `directory`, and removes it. Nil when it left none. Blocking: a list of the directory, and a file in memory.
  package static func take(ofProcess pid: Int32, in directory: String) -> CrashReport? {
    var found: CrashReport?
    for path in paths(in: directory) where process(ofPath: path) == pid {
      if let report = CrashReport(path: path), report.pid == UInt32(pid) { found = report }
      unsafe unlink(path)
    }
    return found
  }

  /// The same for every process of a program that is dead: of those whose supervisor died with them.
  package static func takeAll(of program: String, in directory: String) -> [CrashReport] {
    paths(in: directory).filter { path in
      path.split(separator: "/").last?.hasPrefix(program.prefix(60) + "-") ?? false
    }.compactMap { path in
      guard let report = CrashReport(path: path), !report.isOfLivingProcess else { return nil }
      unsafe unlink(path)
      return report
    }
  }

  /// A zombie, which nobody has waited for, is dead.
  private var isOfLivingProcess: Bool {
    guard ProcessIdentity.startTime(of: Int32(clamping: pid)) == startTime,
      let stat = Syscalls.contents(of: "/proc/\(pid)/stat", limit: 4096),
      let close = stat.lastIndex(of: UInt8(ascii: ")")), close + 2 < stat.count
    else { return false }
    return stat[close + 2] != UInt8(ascii: "Z")
  }

  private static func paths(in directory: String) -> [String] {
    ((try? Syscalls.list(directory)) ?? []).filter { $0.hasSuffix(suffix) }.map { directory + "/" + $0 }
  }

  /// `<program>-<pid>-<id>.box`, as RingFile names it.
  private static func process(ofPath path: String) -> Int32? {
    let parts = path.dropLast(suffix.count).split(separator: "-")
    return parts.count >= 3 ? Int32(parts[parts.count - 2]) : nil
  }

  /// Removes the boxes of processes that have been dead for a day, which nobody has asked about: of programs without a supervisor, or whose supervisor died with
  /// them.
  static func removeOld(in directory: String, now: UInt64 = Syscalls.now(CLOCK_REALTIME)) {
    for path in paths(in: directory) {
      guard let status = try? Syscalls.status(ofPath: path), let report = CrashReport(path: path),
        !report.isOfLivingProcess
      else { continue }
      let last = max(report.time, Syscalls.nanoseconds(status.st_mtim))
      if now > last, now - last > day { unsafe unlink(path) }
    }
  }

  private static let day: UInt64 = 86_400_000_000_000
}
