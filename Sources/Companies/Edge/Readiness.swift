import Synchronization

/// Whether this worker wants new requests. A drain turns it off before anything is closed, so that a load balancer can
/// look away first.
final class Readiness: Sendable {
  private let draining = Atomic(false)

  init() {}

  /// Whether the worker is on its way out.
  var isDraining: Bool { draining.load(ordering: .relaxed) }

  func beginDraining() { draining.store(true, ordering: .relaxed) }
}
