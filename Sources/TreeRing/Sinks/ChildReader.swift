import CTreeRing
import Glibc

/// A child process that reads from a pipe. Ended and waited for by its pid, and by nothing else.
struct ChildReader {
  let pid: pid_t
  /// Our end of the pipe, in non-blocking mode (the child's end is another open file, and stays as programs expect it).
  let descriptor: Int32

  /// Starts `arguments[0]`, found on `PATH`. Blocking until it has been executed, or could not be.
  init(_ arguments: [String]) throws(Errno) {
    let ends = try Self.pipe()
    defer { Syscalls.closeKept(ends.reading) }
    var pid: pid_t = 0
    var strings = unsafe arguments.map { unsafe strdup($0) } + [nil]
    let error = unsafe strings.withUnsafeMutableBufferPointer { buffer -> Int32 in
      guard let start = buffer.baseAddress else { return EINVAL }
      return unsafe tr_spawn_reader(start, ends.reading, &pid)
    }
    for index in unsafe strings.indices { unsafe free(strings[index]) }
    guard error == 0 else {
      Syscalls.closeKept(ends.writing)
      throw Errno(error)
    }
    self.pid = pid
    descriptor = ends.writing
  }

  /// Both ends, above the standard streams, closed on exec and in forked children.
  private static func pipe() throws(Errno) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    guard unsafe tr_pipe(&ends) == 0 else { throw .current }
    var moved: [Int32] = []
    for index in 0..<2 {
      let end = fcntl(ends[index], F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
      let error = Errno.current
      if end >= 0 { moved.append(end) }
      guard end >= 0, index == 0 || fcntl(end, F_SETFL, O_NONBLOCK) == 0 else {
        (moved + ends[index...]).forEach { close($0) }
        throw error
      }
      close(ends[index])
    }
    moved.forEach(Syscalls.keepFromChildren)
    return (moved[0], moved[1])
  }

  /// How a child ended.
  enum Ending: Equatable {
    case exit(Int32)
    case signal(Int32)
    /// Somebody else in this program has waited for it.
    case unknown
  }

  /// How it ended; nil while it lives. Does not wait.
  func ending() -> Ending? {
    var status: Int32 = 0
    while true {
      let result = unsafe waitpid(pid, &status, WNOHANG)
      if result == pid { return status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F) }
      if result == 0 { return nil }
      if errno != EINTR { return .unknown }
    }
  }

  /// Waits for its end, so long at most.
  func ending(withinMilliseconds limit: Int) -> Ending? {
    let end = Syscalls.now(CLOCK_MONOTONIC) + UInt64(limit) * 1_000_000
    while true {
      if let ending = ending() { return ending }
      if Syscalls.now(CLOCK_MONOTONIC) >= end { return nil }
      Syscalls.sleep(nanoseconds: 2_000_000)
    }
  }

  /// Closes the pipe, so that it reads to the end, and waits; then asks it to end; then ends it. Bounded by the sum of the three limits.
  func finish(patienceMilliseconds: Int) -> Ending? {
    Syscalls.closeKept(descriptor)
    if let ending = ending(withinMilliseconds: patienceMilliseconds) { return ending }
    // It has not been waited for, so the number is still its own.
    kill(pid, SIGTERM)
    if let ending = ending(withinMilliseconds: 500) { return ending }
    kill(pid, SIGKILL)
    return ending(withinMilliseconds: 500)
  }
}

extension ChildReader.Ending: CustomStringConvertible {
  var description: String {
    switch self {
    case .exit(let status): "it has exited with status \(status)"
    case .signal(let number): "it was ended by signal \(number)"
    case .unknown: "it has ended"
    }
  }
}
