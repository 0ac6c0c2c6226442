package import CTreeRing
import Glibc

/// Threads that this package starts beside the program's own.
package enum OwnThread {
  /// Starts a thread that runs `body`, and keeps what that holds until it is done. It takes no signals: those are for the program's own threads.
  ///
  /// Without generic types: a fork may come while such a thread begins, and must not find a lock of the language's runtime held.
  ///
  /// - Parameter name: as `ps` shows it, 15 bytes at most; nil: the program's.
  /// - Returns: the thread, which is to be joined or detached.
  package static func start(
    _ name: String? = nil, _ body: @escaping @Sendable () -> Void
  ) throws(Errno) -> pthread_t {
    let work = unsafe Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let code = unsafe tr_start_thread(
      &thread, name,
      { context in
        if let context = unsafe context { unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    guard code == 0 else {
      unsafe work.release()
      throw Errno(code)
    }
    return thread
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
