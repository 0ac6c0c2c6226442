import Glibc
import TreeRing

/// Many threads that live for one record each.
///
///     LogStorm threads COUNT
///
/// Prints how many rings there are at the end.
enum Threads {
  static func run() {
    for number in 0..<LogStorm.argument(2, default: 200) {
      let thread = LogStorm.start(number) { number in log.info("thread \(number, "number") lives") }
      pthread_join(thread, nil)
    }
    LogSystem.flush()
    LogStorm.say("\(LogSystem.counters.rings)")
  }
}
