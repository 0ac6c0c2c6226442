import CTreeRing
import Glibc

/// A worker's tie to its supervisor: a local stream whose other end only the supervisor holds.
///
/// When the supervisor ends, however it ends, the kernel closes that end, and a small thread of the worker's own sees
/// it and ends the process at once. It does not ask the rest of the program, so a worker whose event loops hang ends
/// too: nobody would restart it, and it would hold the port. Records in shared-memory rings survive that, as they
/// survive any death. The parent-death signal is set as well: it also reaches a worker that is stopped (SIGSTOP) and
/// runs no thread at all.
package struct WorkerLifeline: Sendable {
  /// This worker's number, from 0.
  package let worker: Int
  private let descriptor: Int32

  /// Call once at the start of a worker, in any program: nil when no supervisor has started it. Starts one thread, with
  /// all signals blocked and a small stack, that sleeps until the supervisor ends; then the process ends with status 1.
  package static func start() -> WorkerLifeline? {
    guard let descriptor = WorkerEnvironment.number(WorkerEnvironment.lifeline), isSocket(descriptor) else {
      return nil
    }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    // Sent when the spawning thread ends, and that is the supervisor's own, which outlives its workers.
    if WorkerEnvironment.number(WorkerEnvironment.supervisor) == getppid() {
      tr_set_parent_death_signal(SIGKILL)
    }
    watch(descriptor)
    return WorkerLifeline(
      worker: WorkerEnvironment.number(WorkerEnvironment.worker).map(Int.init) ?? 0, descriptor: descriptor)
  }

  /// Tells the supervisor that this worker answers. Does not block; without effect when the supervisor has gone.
  package func ready() {
    var line = Array("READY=1\n".utf8)
    // The kernel reads as many bytes as the array has.
    _ = unsafe send(descriptor, &line, line.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
  }

  private static func isSocket(_ descriptor: Int32) -> Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
  }

  private static func watch(_ descriptor: Int32) {
    withAllSignalsBlocked {
      var thread = pthread_t()
      var attributes = pthread_attr_t()
      unsafe pthread_attr_init(&attributes)
      defer { unsafe pthread_attr_destroy(&attributes) }
      unsafe pthread_attr_setstacksize(&attributes, 256 * 1024)
      unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
      // The thread gets a number in a pointer's clothes; nothing is dereferenced.
      let argument = unsafe UnsafeMutableRawPointer(bitPattern: Int(descriptor))
      let failed = unsafe pthread_create(&thread, &attributes, { unsafe endWithSupervisor($0) }, argument)
      // Without the thread there is no lifeline, and a worker without one may outlive its supervisor: do not begin.
      if failed != 0 { _exit(EXIT_FAILURE) }
    }
  }

  /// The new thread inherits the mask of the one that makes it.
  private static func withAllSignalsBlocked(_ body: () -> Void) {
    var all = sigset_t()
    var former = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &former)
    body()
    unsafe pthread_sigmask(SIG_SETMASK, &former, nil)
  }
}

/// Returns never: the supervisor says nothing on the lifeline, so what comes is its end.
private func endWithSupervisor(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  let descriptor = Int32(Int(bitPattern: argument))
  var byte: UInt8 = 0
  while true {
    // One byte is written to a variable of one byte.
    let count = unsafe read(descriptor, &byte, 1)
    if count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN) { _exit(EXIT_FAILURE) }
  }
}
