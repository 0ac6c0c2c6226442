import CTreeRing
import Glibc

/// One running worker process, seen from the supervisor's thread: its pid, a descriptor that tells its end, and this
/// end of its lifeline.
///
/// The pid stays this process's own until `reap` has returned a status, so a signal cannot hit a stranger. Letting the
/// object go closes the lifeline, at which a worker that watches it ends.
final class WorkerProcess {
  let worker: Int
  let pid: Int32
  /// Polls readable when the process has ended.
  let end: Descriptor
  /// nil once the worker's side is closed: a program that knows of no lifeline, or has closed it.
  private var lifeline: Descriptor?
  private var lines = ReadyLines()

  init(worker: Int, pid: Int32, end: consuming Descriptor, lifeline: consuming Descriptor) {
    self.worker = worker
    self.pid = pid
    self.end = end
    self.lifeline = consume lifeline
  }

  /// For poll(2), which passes over negative numbers.
  var lifelineNumber: Int32 {
    switch lifeline {
    case .some(let lifeline): lifeline.number
    case nil: -1
    }
  }

  func signal(_ signal: Int32) { kill(pid, signal) }

  /// How the process ended; nil while it lives. Does not block.
  func reap() -> ProcessStatus? {
    var code: Int32 = 0
    var status: Int32 = 0
    switch unsafe tr_reap(pid, &code, &status) {
    case 0: return nil
    case 1: return ProcessStatus(code: code, status: status)
    default: return .unknown
    }
  }

  /// Reads what the worker has written on its lifeline; true when it said that it is ready. Does not block.
  func readLifeline() -> Bool {
    let number = lifelineNumber
    guard number >= 0 else { return false }
    var bytes = [UInt8](repeating: 0, count: 256)
    // The kernel writes at most the array's size.
    let count = unsafe recv(number, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    guard count > 0 else {
      // The end, or an error: polling on would spin.
      if count == 0 || (errno != EAGAIN && errno != EINTR) { lifeline = nil }
      return false
    }
    return lines.take(bytes.prefix(count))
  }
}

/// Finds `READY=1` (or `READY`) among the lines a worker writes. Bounded: a line too long to be one is dropped.
struct ReadyLines {
  private var line: [UInt8] = []

  /// True when a line that ends in `bytes` says ready.
  mutating func take(_ bytes: some Sequence<UInt8>) -> Bool {
    var ready = false
    for byte in bytes {
      guard byte == UInt8(ascii: "\n") else {
        if line.count < 64 { line.append(byte) }
        continue
      }
      ready = ready || line == Array("READY=1".utf8) || line == Array("READY".utf8)
      line = []
    }
    return ready
  }
}

extension ProcessStatus {
  /// From siginfo_t: `si_code` and `si_status` of waitid(2).
  init(code: Int32, status: Int32) {
    self =
      switch code {
      case Int32(CLD_EXITED): .exited(code: status)
      case Int32(CLD_KILLED): .signaled(signal: status, coreDumped: false)
      case Int32(CLD_DUMPED): .signaled(signal: status, coreDumped: true)
      default: .unknown
      }
  }
}
