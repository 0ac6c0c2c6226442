import Glibc
import TreeRing

/// Many threads that live for one record each.
///
///     LogStorm threads COUNT
///
/// Prints how many rings there are at the end, and resident memory in KiB after a tenth of the threads and at the end.
enum Threads {
  static func run() {
    let count = LogStorm.argument(2, default: 200)
    var early = 0
    for number in 0..<count {
      let thread = LogStorm.start(number) { number in log.info("thread \(number, "number") lives") }
      pthread_join(thread, nil)
      if number == count / 10 { early = Memory.residentKilobytes }
    }
    LogSystem.flush()
    LogStorm.say("\(LogSystem.counters.rings) \(early) \(Memory.residentKilobytes)")
  }
}
