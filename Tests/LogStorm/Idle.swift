import Glibc
import TreeRing

/// A program that logs something, then does nothing for a while.
///
///     LogStorm idle MILLISECONDS
///     LogStorm wake COUNT          logs a record to a sleeping writer, so many times
///
/// `idle` says `idle begins` and `idle ends`. `wake` prints microseconds from the call to the moment when the record has left the ring: median, 99th
/// percentile and largest.
enum Idle {
  static func run() {
    // Read before: what lies between the two lines is a sleep and nothing else.
    let microseconds = UInt32(LogStorm.argument(2, default: 2000)) * 1000
    let ends = "idle ends"
    log.info("before")
    LogSystem.flush()
    // The writer naps a few times before it parks.
    usleep(500_000)
    LogStorm.say("idle begins")
    usleep(microseconds)
    LogStorm.say(ends)
    log.info("after")
  }

  static func runWakes() {
    let count = LogStorm.argument(2, default: 100)
    log.info("before")
    LogSystem.flush()
    let times = (0..<count).map { number in
      usleep(20_000)
      let written = LogSystem.counters.written
      let start = Syscalls.now(CLOCK_MONOTONIC)
      log.info("wake \(number, "number")")
      while LogSystem.counters.written == written { sched_yield() }
      return Int(Syscalls.now(CLOCK_MONOTONIC) - start) / 1000
    }.sorted()
    LogStorm.say("\(times[count / 2]) \(times[count * 99 / 100]) \(times[count - 1])")
  }
}
