import Glibc

/// A thread that does one step of an object's work again and again, and ends after the object does.
package enum ReaderThread {
  /// Starts it. `step` returns whether there was something to do: after an idle one the thread sleeps half a millisecond. The object is not kept alive by this.
  package static func start<Worker: AnyObject & Sendable>(
    for worker: Worker, _ step: @escaping @Sendable (Worker) -> Bool
  ) {
    weak let worker = worker
    let work = Work {
      guard let worker else { return nil }
      return step(worker)
    }
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let work = unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
        while let isBusy = work.step() { if !isBusy { usleep(500) } }
        return nil
      }, Unmanaged.passRetained(work).toOpaque())
    precondition(result == 0, "cannot start a thread: error \(result)")
    pthread_detach(thread)
  }

  private final class Work: Sendable {
    /// Nil once the object is gone.
    let step: @Sendable () -> Bool?

    init(_ step: @escaping @Sendable () -> Bool?) { self.step = step }
  }
}
