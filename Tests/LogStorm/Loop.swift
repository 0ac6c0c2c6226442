import Glibc
import TreeRing

/// Calls that are on, one after the other, on one thread, between two lines: `loop begins` and `loop ends`.
///
///     LogStorm loop CALLS
///
/// What comes before them is done once: the first call on a thread makes its ring, and those of a call site teach it.
enum Loop {
  static func run() {
    let (count, ends) = (LogStorm.argument(2, default: 1_000_000), "loop ends")
    for number in 0..<1000 { call(number) }
    LogStorm.say("loop begins")
    for number in 0..<count { call(number) }
    LogStorm.say(ends)
  }

  @inline(never)
  private static func call(_ number: Int) { log.info("call \(number, "number") of many") }
}
