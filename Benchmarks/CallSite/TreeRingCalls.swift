import CBenchmark
import TreeRing

/// Calls of TreeRing. Each function is one loop around one call, as a program has it.
enum TreeRingCalls {
  @inline(never)
  static func enabled(_ calls: UInt32) {
    let order = Order.placed
    for number in 0..<Int64(calls) {
      let id = order.id &+ number
      log.info("order \(id, "order.id") placed by \(order.user, "user") total \(order.total, "order.total")")
    }
  }

  @inline(never)
  static func disabled(_ calls: UInt32) {
    let order = Order.placed
    for number in 0..<Int64(calls) { log.debug("order \(order.id &+ number)") }
  }

  @inline(never)
  static func channelOff(_ calls: UInt32) {
    let order = Order.placed
    for number in 0..<Int64(calls) { debugChannel("order \(order.id &+ number)") }
  }
}
