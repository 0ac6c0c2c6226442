import CTreeRing
import Glibc

/// This process's black box: the file that tells after a crash what nobody was there to log (BlackBox.h). It is removed when logging stops.
@safe
struct BlackBox: @unchecked Sendable {  // constants; what the box points at is written by atomics and a signal handler
  private let path: String
  private let box: UnsafeMutablePointer<TRBlackBox>

  /// Makes the file, when the configuration asks for it, and begins to watch; nil when it does not, and, with a line on standard error, when that cannot be.
  init?(_ configuration: LogConfiguration, besideRing ring: String) {
    guard configuration.flightRecorder || configuration.crashReports else { return nil }
    path = CrashReport.path(besideRing: ring)
    CrashReport.removeOld(in: String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
    do { unsafe box = try unsafe Self.make(path, configuration.flightRecorder) } catch {
      Syscalls.complain(
        "cannot make the black box \(path): \(error); a crash will be told without its frames and last lines")
      return nil
    }
    if configuration.crashReports, unsafe tr_watch_crashes(box, Self.isRuntimeAsked) == 0 {
      Syscalls.complain("the program handles every crash signal itself: none is written down")
    }
    guard configuration.flightRecorder else { return }
    unsafe tr_set_flight_lines(lines, tr_box_line_count(box))
    Aside.want()
  }

  /// Whether the environment has told the language's runtime to handle crashes, so that a handler which is linked into the program may be its.
  private static var isRuntimeAsked: Bool { Syscalls.environment("SWIFT_BACKTRACE")?.contains("enable=") ?? false }

  /// Bytes of the file.
  static func size(withLines: Bool) -> Int {
    Int(TR_BOX_LINES) + (withLines ? Int(TR_FLIGHT_LINES * TR_FLIGHT_SLOT) : 0)
  }

  /// Mapped for ever: a signal handler may hold on to it.
  private static func make(_ path: String, _ withLines: Bool) throws(Errno) -> UnsafeMutablePointer<TRBlackBox> {
    let descriptor = try Syscalls.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    defer { close(descriptor) }
    let size = size(withLines: withLines)
    guard tr_fallocate(descriptor, 0, Int64(size)) == 0,
      let memory = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      unsafe memory != MAP_FAILED
    else {
      let error = Errno.current
      unsafe unlink(path)
      throw error
    }
    let box = unsafe memory.bindMemory(to: TRBlackBox.self, capacity: 1)
    unsafe box.pointee.version = TR_BOX_VERSION
    unsafe box.pointee.pid = UInt32(getpid())
    unsafe box.pointee.start_time = ProcessIdentity.startTime()
    unsafe tr_store64(box, TR_BOX_MAGIC)
    return unsafe box
  }

  private var lines: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(box) + Int(TR_BOX_LINES) }

  /// The process ends as it should: there is nothing to tell.
  func remove() {
    if unsafe tr_flight_lines() == lines { tr_set_flight_lines(nil, nil) }
    unsafe tr_forget_crashes(box)
    unsafe unlink(path)
  }

  /// In a forked child: the box is the parent's.
  static func abandon() {
    tr_set_flight_lines(nil, nil)
    tr_forget_crashes(nil)
  }
}
