import CTreeRing
import Glibc
import Synchronization

/// The control socket of this process: a thread that sleeps in the kernel until somebody connects, or a time box ends.
///
/// It lies beside the ring file, in a directory that is its owner's alone, mode 0600; who connects is asked for credentials all the same, which the kernel
/// vouches for: the process's own user and root are served, everybody else is refused. One connection at a time, a request of one line, each read and
/// write limited to two seconds. Every change is logged (`treering.control`, notice). A child of a fork closes the socket and has one of its own from its
/// first log call on.
final class ControlServer: Sendable {
  private let path: String
  private let listener: Int32
  private let connection = Atomic<Int32>(-1)
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
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    var thread = pthread_t()
    let result = unsafe Self.startThread(&thread, context)
    guard result == 0 else {
      unsafe Unmanaged<ControlServer>.fromOpaque(context).release()
      close(listener)
      throw Errno(result)
    }
    self.thread.store(UInt(thread), ordering: .releasing)
  }

  /// It takes no signals: those are for the program's own threads.
  private static func startThread(_ thread: inout pthread_t, _ context: UnsafeMutableRawPointer) -> Int32 {
    var everything = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&everything)
    unsafe pthread_sigmask(SIG_SETMASK, &everything, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    return unsafe pthread_create(
      &thread, nil,
      { context in
        unsafe tr_set_thread_name("treering-debug")
        if let context = unsafe context {
          unsafe Unmanaged<ControlServer>.fromOpaque(context).takeRetainedValue().serve()
        }
        return nil
      }, context)
  }

  /// Removes the socket and ends the thread. Blocking, two seconds at most when somebody is connected.
  func stop() {
    unsafe unlink(path)
    isStopping.store(true, ordering: .sequentiallyConsistent)
    // Both wake the thread: the one from its sleep, the other from a peer that says nothing.
    shutdown(listener, Int32(SHUT_RDWR))
    let descriptor = connection.load(ordering: .sequentiallyConsistent)
    if descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
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
    var handler = ControlHandler()
    while !isStopping.load(ordering: .sequentiallyConsistent) {
      let isAsked = Self.wait(
        for: listener, milliseconds: handler.timeBox.pollTimeout(now: Syscalls.now(CLOCK_MONOTONIC)))
      if isStopping.load(ordering: .sequentiallyConsistent) { return }
      handler.fallBack(now: Syscalls.now(CLOCK_MONOTONIC))
      if isAsked { accept(&handler) }
    }
  }

  /// Sleeps until something can be read; false when the time is over first. A fork may happen meanwhile: nothing but a system call is under way.
  private static func wait(for descriptor: Int32, milliseconds: Int32) -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    tr_answer_end()
    unsafe Glibc.poll(&poll, 1, milliseconds)
    tr_answer_begin()
    return poll.revents != 0
  }

  private func accept(_ handler: inout ControlHandler) {
    let descriptor = Glibc.accept(listener, nil, nil)
    // Out of descriptors, or gone again.
    guard descriptor >= 0 else { return Syscalls.sleep(nanoseconds: 10_000_000) }
    defer {
      connection.store(-1, ordering: .sequentiallyConsistent)
      close(descriptor)
    }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    connection.store(descriptor, ordering: .sequentiallyConsistent)
    if isStopping.load(ordering: .sequentiallyConsistent) { return }
    ControlSocket.limitWaiting(descriptor, seconds: 2)
    ControlSocket.write(descriptor, answer(descriptor, &handler).map(\.text).joined())
  }

  private func answer(_ descriptor: Int32, _ handler: inout ControlHandler) -> [ControlLine] {
    _ = Self.wait(for: descriptor, milliseconds: 2000)
    // Read first: a peer that is refused with its request unread would see a broken connection and no reason.
    let bytes = ControlSocket.read(descriptor, limit: ControlCommand.longestLine, untilLineEnds: true)
    guard let peer = try? ControlSocket.peer(of: descriptor), peer.uid == geteuid() || peer.uid == 0 else {
      return [ControlLine("error", "refused: this process belongs to user \(geteuid()); ask as that user or as root")]
    }
    guard let text = String(validating: bytes, as: UTF8.self), let command = ControlCommand(line: text) else {
      return [ControlLine("error", "not understood: use the treering that belongs to this program")]
    }
    return handler.answer(command, peer: peer, now: Syscalls.now(CLOCK_MONOTONIC))
  }
}
