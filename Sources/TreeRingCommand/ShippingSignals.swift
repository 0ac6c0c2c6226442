import Glibc
import LogShipper

/// SIGTERM and SIGINT end the pipeline after it has delivered what is there.
enum ShippingSignals {
  nonisolated(unsafe) private static var pipeline: Pipeline?

  /// Call once, before `run`. The handler stores one flag, which is safe at any moment.
  static func stop(_ pipeline: Pipeline) {
    unsafe self.pipeline = pipeline
    for number in [SIGTERM, SIGINT] {
      signal(number) { _ in unsafe ShippingSignals.pipeline?.stop() }
    }
  }
}
