import Glibc
import TestSupport

@testable import TreeRing

/// Reads a pipe or a FIFO on a thread of its own, unless it is told to pause.
final class PipeReader: Sendable {
  private let state = Locked(State())

  private struct State {
    var descriptor: Int32 = -1
    var isPaused = false
    var isEnded = false
    var bytes: [UInt8] = []
  }

  /// - Parameter pause: microseconds between two pages that it reads; 0: it reads as much as it can.
  init(pause: UInt32 = 0) {
    ReaderThread.start(for: self) { reader in
      if pause > 0 { usleep(pause) }
      return reader.step(pause > 0 ? 4096 : 65_536)
    }
  }

  deinit { close() }

  /// A reader of a new pipe, and the pipe's other end, which is in blocking mode.
  static func pipe() throws -> (PipeReader, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    guard unsafe Glibc.pipe(&ends) == 0 else { throw Errno.current }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let reader = PipeReader()
    reader.adopt(ends[0])
    return (reader, ends[1])
  }

  /// Opens a FIFO for reading, without waiting for a writer.
  func open(_ path: String) throws { adopt(try Syscalls.open(path, O_RDONLY | O_NONBLOCK)) }

  private func adopt(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    state.withLock { $0.descriptor = descriptor }
  }

  /// Goes away.
  func close() {
    state.withLock {
      if $0.descriptor >= 0 { Glibc.close($0.descriptor) }
      $0.descriptor = -1
    }
  }

  var descriptor: Int32 { state.withLock { $0.descriptor } }

  var isPaused: Bool {
    get { state.withLock { $0.isPaused } }
    set { state.withLock { $0.isPaused = newValue } }
  }

  var bytes: [UInt8] { state.withLock { $0.bytes } }

  /// What has been read once it is `count` bytes or ten seconds have passed.
  func wait(for count: Int) -> [UInt8] {
    let end = Syscalls.now(CLOCK_MONOTONIC) + 10_000_000_000
    while bytes.count < count, Syscalls.now(CLOCK_MONOTONIC) < end { usleep(500) }
    return bytes
  }

  /// Reads once; true when there was something.
  private func step(_ most: Int) -> Bool {
    state.withLock { state in
      guard state.descriptor >= 0, !state.isPaused else { return false }
      var part = [UInt8](repeating: 0, count: most)
      let count = unsafe read(state.descriptor, &part, part.count)
      if count > 0 { state.bytes += part[..<count] }
      return count > 0
    }
  }
}
