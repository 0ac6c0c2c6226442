import Glibc
import LogShipper
import Synchronization
import TreeRing

/// SIGTERM and SIGINT end the daemon after it has delivered what is there; SIGHUP makes it read its configuration again. A thread of their own waits for them, so
/// that nothing has to be safe in a handler.
final class ShippingSignals: Sendable {
  enum Request: Sendable {
    case stop
    case reload
  }

  private struct State: Sendable {
    var pipeline: Pipeline?
    /// What was asked for and not done yet; a stop stays.
    var request: Request?
  }

  private let state = Mutex(State())

  /// Call once, on the first thread, before there are others: from now on no thread takes these signals but the one that is started here.
  init() {
    var awaited = Self.awaited
    unsafe pthread_sigmask(SIG_BLOCK, &awaited, nil)
    let thread = try? OwnThread.start { self.wait() }
    // Without it nobody could stop the daemon in peace.
    guard let thread else { preconditionFailure("cannot start the thread that waits for signals") }
    pthread_detach(thread)
  }

  private static var awaited: sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, number) }
    return set
  }

  private func wait() {
    var awaited = Self.awaited
    while true {
      var number: Int32 = 0
      guard unsafe sigwait(&awaited, &number) == 0 else { continue }
      ask(for: number == SIGHUP ? .reload : .stop)
    }
  }

  private func ask(for request: Request) {
    state.withLock { state in
      if state.request != .stop { state.request = request }
      state.pipeline?.stop()
    }
  }

  /// Runs the pipeline until a signal comes, or has come already, and returns what was asked for.
  func run(_ pipeline: Pipeline) -> Request {
    state.withLock { state in
      state.pipeline = pipeline
      if state.request != nil { pipeline.stop() }
    }
    while true {
      pipeline.run()
      if let request = takeRequest() { return request }
    }
  }

  /// Nil when the pipeline was stopped by a signal that has been served already: a second one that came while it was stopping.
  private func takeRequest() -> Request? {
    state.withLock { state in
      guard let request = state.request else { return nil }
      state.pipeline = nil
      if request == .reload { state.request = nil }
      return request
    }
  }
}
