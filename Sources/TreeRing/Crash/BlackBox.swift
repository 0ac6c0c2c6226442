import CTreeRing
import Glibc
import Synchronization

/// This process's black box: the file that tells after a crash what nobody was there to log (BlackBox.h). It is removed when logging stops.
@safe
struct BlackBox: @unchecked Sendable {  // constants; what the box points at is written by atomics and a signal handler
  private let path: String
  private let box: UnsafeMutablePointer<TRBlackBox>

  /// Makes the file, when the configuration asks for it, and begins to watch; nil when it does not, and, with a line on standard error, when that cannot be.
  init?(_ configuration: LogConfiguration, besideRing ring: String) {
    guard configuration.flightRecorder || configuration.crashReports else { return nil }
    path = ring.replacingSuffix(RingDirectory.suffix, by: CrashReport.suffix)
    do { unsafe box = try unsafe Self.make(path) } catch {
      Syscalls.complain(
        "cannot make the black box \(path): \(error); a crash will be told without its frames and last lines")
      return nil
    }
    if configuration.crashReports, unsafe tr_watch_crashes(box, Self.isRuntimeAsked) == 0 {
      Syscalls.complain("the program handles every crash signal itself: none is written down")
    }
    guard configuration.flightRecorder else { return }
    unsafe tr_set_box(box)
    Aside.want()
  }

  /// Whether the environment has told the language's runtime to handle crashes, so that a handler which is linked into the program may be its.
  private static var isRuntimeAsked: Bool { Syscalls.environment("SWIFT_BACKTRACE")?.contains("enable=") ?? false }

  /// Mapped for ever: a signal handler may hold on to it.
  private static func make(_ path: String) throws(Errno) -> UnsafeMutablePointer<TRBlackBox> {
    let descriptor = try Syscalls.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    defer { close(descriptor) }
    guard tr_fallocate(descriptor, 0, Int64(TR_BOX_SIZE)) == 0,
      let memory = unsafe mmap(nil, Int(TR_BOX_SIZE), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
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
    unsafe tr_store64(&box.pointee.magic, TR_BOX_MAGIC)
    return unsafe box
  }

  /// The process ends as it should: there is nothing to tell.
  func remove() {
    tr_set_box(nil)
    unsafe unlink(path)
  }

  /// In a forked child: the box is the parent's.
  static func abandon() { tr_set_box(nil) }

  /// Keeps a line, without its line feed; what is too long is cut. Any thread; two that are 128 lines apart may spoil each other's, which its reader sees.
  static func append(_ text: UnsafeRawBufferPointer, to box: UnsafeMutablePointer<TRBlackBox>) {
    let number = unsafe tr_add64(&box.pointee.lines, 1) + 1
    let slot = Int((number - 1) % UInt64(TR_BOX_LINE_COUNT))
    let place = unsafe UnsafeMutableRawPointer(box) + Int(TR_BOX_LINES) + slot * Int(TR_BOX_LINE_SIZE)
    let header = MemoryLayout<TRBoxLine>.size
    var size = min(text.count, Int(TR_BOX_LINE_SIZE) - header)
    if size == text.count, size > 0, unsafe text[size - 1] == UInt8(ascii: "\n") { size -= 1 }
    let line = unsafe place.bindMemory(to: TRBoxLine.self, capacity: 1)
    unsafe tr_store64(&line.pointee.number, 0)
    if let start = text.baseAddress { unsafe (place + header).copyMemory(from: start, byteCount: size) }
    unsafe line.pointee.size = UInt32(size)
    unsafe tr_store64(&line.pointee.number, number)
  }
}
