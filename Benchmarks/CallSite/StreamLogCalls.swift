import CBenchmark
import Logging

/// The same calls of swift-log, whose handler writes to standard output.
enum StreamLogCalls {
  @inline(never)
  static func enabled(_ calls: UInt32) {
    let order = Order.placed
    for number in 0..<Int64(calls) {
      streamLog.info("order \(order.id &+ number) placed by \(order.user) total \(order.total)")
    }
  }

  /// Typed fields are metadata here.
  @inline(never)
  static func enabledWithMetadata(_ calls: UInt32) {
    let order = Order.placed
    for number in 0..<Int64(calls) {
      streamLog.info(
        "order placed",
        metadata: [
          "order.id": .stringConvertible(order.id &+ number), "user": .string(order.user),
          "order.total": .stringConvertible(order.total),
        ])
    }
  }

  @inline(never)
  static func disabled(_ calls: UInt32) {
    let order = Order.placed
    for number in 0..<Int64(calls) { streamLog.debug("order \(order.id &+ number)") }
  }
}
