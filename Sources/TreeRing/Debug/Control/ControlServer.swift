import CTreeRing
import Glibc
import Synchronization

/// The control socket of this process: a thread that sleeps in the kernel until somebody connects, or a time box ends.
///
/// It lies beside the ring file, in a directory that is its owner's alone, mode 0600; who connects is asked for credentials all the same, which the kernel
/// vouches for: the process's own user and root are served, everybody else is refused before a byte of theirs is read. One connection at a time, a request of one
/// line, two seconds for all of it and two for the answer. Every change is logged (`treering.control`, notice). A child of a fork closes the socket and
/// has one of its own from its first log call on.
final class ControlServer: Sendable {
  private let path: String
  private let listener: Int32
  /// Locked while it is shut down, so that its number is not another file's by then. No thread takes the lock of a server that it has inherited.
  private let connection = Mutex<Int32>(-1)
  private let isStopping = Atomic<Bool>(false)
  private let thread: Atomic<UInt>

  /// Makes the socket and starts its thread; nil, with a line on standard error, when that cannot be. Blocking; a few system calls.
  static func start(besideRing ring: String) -> ControlServer? {
    let path = ControlSocket.path(besideRing: ring)
    do {
      let server = ControlServer(path, try ControlSocket.listen(at: path))
      try server.run()
      inherited.store(server.listener, ordering: .releasing)
      return server
    } catch {
      Syscalls.complain("cannot make the control socket \(path): \(error); treering debug will not reach this process")
      unsafe unlink(path)
      return nil
    }
  }

  private init(_ path: String, _ listener: Int32) {
    self.path = path
    self.listener = listener
    thread = Atomic(0)
  }

  /// The descriptor that a forked child inherits, and must not keep.
  private static let inherited = Atomic<Int32>(-1)

  /// In a forked child.
  static func abandon() {
    let descriptor = inherited.exchange(-1, ordering: .acquiringAndReleasing)
    if descriptor >= 0 { close(descriptor) }
  }

  private func run() throws(Errno) {
    do throws(Errno) {
      thread.store(UInt(try OwnThread.start("treering-debug") { self.serve() }), ordering: .releasing)
    } catch {
      close(listener)
      throw error
    }
  }

  /// Removes the socket and ends the thread. Blocking, for as long as an answer takes that is under way.
  func stop() {
    unsafe unlink(path)
    isStopping.store(true, ordering: .sequentiallyConsistent)
    // Both wake the thread: the one from its sleep, the other from a peer that says nothing.
    shutdown(listener, Int32(SHUT_RDWR))
    connection.withLock { if $0 >= 0 { _ = shutdown($0, Int32(SHUT_RDWR)) } }
    let thread = pthread_t(self.thread.load(ordering: .acquiring))
    if pthread_equal(thread, pthread_self()) == 0 { pthread_join(thread, nil) }
    _ = Self.inherited.compareExchange(expected: listener, desired: -1, ordering: .acquiringAndReleasing)
    close(listener)
  }

  /// Everything here but waiting is done while nobody forks, from the thread's first line on. Code that looks harmless may be the first to use a generic
  /// type, and then holds a lock of the language's runtime: a child of a fork would inherit that lock, held by a thread that it does not have.
  private func serve() {
    tr_answer_begin()
    defer { tr_answer_end() }
    while !isStopping.load(ordering: .sequentiallyConsistent) {
      let timeout = LogPolicy.current?.pollTimeout(now: Syscalls.now(CLOCK_MONOTONIC)) ?? -1
      let isAsked = Self.wait(listener, POLLIN, timeout)
      if isStopping.load(ordering: .sequentiallyConsistent) { return }
      ControlHandler.fallBack(now: Syscalls.now(CLOCK_MONOTONIC))
      if isAsked { accept() }
    }
  }

  /// Sleeps until something can be read or written; false when the time is over first. A fork may happen meanwhile: nothing but a system call is under way.
  private static func wait(_ descriptor: Int32, _ event: Int32, _ milliseconds: Int32) -> Bool {
    tr_answer_end()
    defer { tr_answer_begin() }
    return ControlSocket.wait(descriptor, event, milliseconds)
  }

  private func accept() {
    let descriptor = tr_accept(listener)
    // Out of descriptors, or gone again.
    guard descriptor >= 0 else { return Syscalls.sleep(nanoseconds: 10_000_000) }
    Syscalls.keepFromChildren(descriptor)
    connection.withLock { $0 = descriptor }
    defer {
      connection.withLock { $0 = -1 }
      Syscalls.closeKept(descriptor)
    }
    if isStopping.load(ordering: .sequentiallyConsistent) { return }
    let answer = answer(descriptor).map(\.text).joined()
    ControlSocket.write(descriptor, answer, until: ControlSocket.deadline(seconds: 2), Self.wait)
  }

  private func answer(_ descriptor: Int32) -> [ControlLine] {
    // First: nobody else's bytes are looked at, and nobody else can make this thread wait. The answer reaches a peer that has not been read from, too.
    guard let peer = try? ControlSocket.peer(of: descriptor), peer.uid == geteuid() || peer.uid == 0 else {
      return [ControlLine("error", "refused: this process belongs to user \(geteuid()); ask as that user or as root")]
    }
    let line = ControlSocket.readLine(
      descriptor, limit: ControlCommand.longestLine, until: ControlSocket.deadline(seconds: 2), Self.wait)
    guard let line else { return [ControlCommand.isLate] }
    guard let text = String(validating: line, as: UTF8.self), let command = ControlCommand(line: text) else {
      return [ControlLine("error", "not understood: use the treering that belongs to this program")]
    }
    return ControlHandler.answer(command, peer: peer, now: Syscalls.now(CLOCK_MONOTONIC))
  }
}
