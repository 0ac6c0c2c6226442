import CBenchmark
import Logging

/// The same calls through swift-log, with whatever handler the logger has.
enum SwiftLogCalls {
  @inline(never)
  static func message(_ logger: Logging::Logger, _ calls: UInt32) {
    let order = Order.placed
    for number in 0..<Int64(calls) {
      logger.info("order \(order.id &+ number) placed by \(order.user) total \(order.total)")
    }
  }

  /// A message without values: what is left is the handler's own cost.
  @inline(never)
  static func literal(_ logger: Logging::Logger, _ calls: UInt32) {
    for _ in 0..<calls { logger.info("order placed by a customer") }
  }

  /// Typed fields are metadata here.
  @inline(never)
  static func metadata(_ logger: Logging::Logger, _ calls: UInt32) {
    let order = Order.placed
    for number in 0..<Int64(calls) {
      logger.info(
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
