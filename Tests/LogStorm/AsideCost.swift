import Glibc
import TreeRing

/// What a call of a debug channel costs that is off, that goes aside, and that is on.
///
///     LogStorm aside-cost [CALLS]     prints nanoseconds a call, of the best of ten rounds
enum AsideCost {
  private static let channel = DebugChannel("cost:channel", "called in a row")

  static func run() {
    let calls = LogStorm.argument(2, default: 1_000_000)
    log.notice("begins")
    var best = Double.infinity
    for _ in 0..<10 {
      let begin = now()
      for number in 0..<calls { channel("row \(number, "number") of \("table", "table")") }
      best = min(best, Double(now() - begin) / Double(calls))
    }
    let tenths = Int(best * 10 + 0.5)
    LogStorm.say("\(tenths / 10).\(tenths % 10)")
  }

  private static func now() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
