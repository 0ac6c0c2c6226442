import CBenchmark
import Logging
import TreeRing

let log = TreeRing::Logger("benchmark.orders")
let stdoutLog = Logging::Logger(label: "benchmark.orders") { StreamLogHandler.standardOutput(label: $0) }

/// The messages: three arguments, whose values the compiler cannot know.
enum Calls {
  @inline(never)
  static func treeRing(_ calls: UInt32) {
    let (id, user, total) = unsafe (bm_order_id(), String(cString: bm_user_name()), bm_order_total())
    for number in 0..<Int64(calls) {
      log.info("order \(id &+ number, "order.id") placed by \(user, "user") total \(total, "order.total")")
    }
  }

  @inline(never)
  static func streamLog(_ calls: UInt32) {
    let (id, user, total) = unsafe (bm_order_id(), String(cString: bm_user_name()), bm_order_total())
    for number in 0..<Int64(calls) { stdoutLog.info("order \(id &+ number) placed by \(user) total \(total)") }
  }
}
