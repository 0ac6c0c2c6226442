import Glibc

/// A value behind a lock that the thread sanitizer sees through. Of `Synchronization.Mutex` it sees only what is not contended: who waits, waits in the kernel for a lock that
/// the kernel hands over, and what that lock protects would be called a race.
@safe
package final class Locked<Value>: @unchecked Sendable {  // `value`: only with the lock
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private var value: Value

  /// A lock of its own for `value`.
  package init(_ value: sending Value) {
    self.value = value
    unsafe lock = .allocate(capacity: 1)
    unsafe lock.initialize(to: pthread_mutex_t())
    unsafe pthread_mutex_init(lock, nil)
  }

  deinit {
    unsafe pthread_mutex_destroy(lock)
    unsafe lock.deallocate()
  }

  /// Does `body` while no other thread has the value. Blocking; not to be nested.
  package func withLock<Result, Failure>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
    unsafe pthread_mutex_lock(lock)
    defer { unsafe _ = pthread_mutex_unlock(lock) }
    return try body(&value)
  }
}
