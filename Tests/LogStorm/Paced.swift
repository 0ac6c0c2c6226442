import Glibc
import TreeRing

/// Logs all the time, not fast, and measures each call, while a test does something to the sinks.
///
///     LogStorm paced FILE [MICROSECONDS]
///
/// Every fourth record is a warning of the logger `other`. Goes on until `FILE.end` comes to be, and then says, in nanoseconds of a call:
/// `calls N median N p99 N max N wait N withheld N`; `wait` is the longest call in which the thread went to sleep of itself, and did not only lose its turn.
enum Paced {
  private static let other = Logger("other")

  private nonisolated(unsafe) static var longestWait: UInt64 = 0

  static func run() {
    let file = LogStorm.argument(2) ?? "/dev/null"
    let pause = UInt32(LogStorm.argument(3, default: 100))
    var durations: [UInt64] = []
    while unsafe access("\(file).end", F_OK) != 0 {
      // A test that has gone away takes its children with it.
      if getppid() == 1 { exit(1) }
      for _ in 0..<20 {
        durations.append(measure(durations.count))
        usleep(pause)
      }
    }
    let sorted = durations.sorted()
    LogStorm.say(
      "calls \(sorted.count) median \(sorted[sorted.count / 2]) p99 \(sorted[sorted.count * 99 / 100]) "
        + "max \(sorted[sorted.count - 1]) wait \(unsafe longestWait) withheld \(LogSystem.counters.withheld)")
  }

  private static func measure(_ number: Int) -> UInt64 {
    let sleeps = Self.sleeps
    let begin = now()
    if number % 4 == 3 {
      other.warning("warning \(number, "storm.number")")
    } else {
      log.info("record \(number, "storm.number")")
    }
    let duration = now() - begin
    if Self.sleeps != sleeps { unsafe longestWait = max(longestWait, duration) }
    return duration
  }

  /// `RUSAGE_THREAD`, which the module does not show.
  private static let thisThread: Int32 = 1

  /// How often this thread has given the processor away.
  private static var sleeps: Int {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(Self.thisThread), &usage)
    return usage.ru_nvcsw
  }

  private static func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
