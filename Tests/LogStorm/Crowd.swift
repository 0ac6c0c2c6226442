import Glibc
import Synchronization
import TreeRing

/// Threads that live at the same time, each with a hundred calls. Prints how many rings there are, and how many calls found none.
///
///     LogStorm crowd THREADS
enum Crowd {
  private static let living = Atomic<Int>(0)

  static func run() {
    let count = LogStorm.argument(2, default: 4)
    log.info("before the crowd")
    let threads = (0..<count).map { thread in
      LogStorm.start(thread) { thread in
        for number in 0..<50 { log.info("crowd \(thread, "thread") \(number, "number")") }
        living.add(1, ordering: .sequentiallyConsistent)
        while living.load(ordering: .sequentiallyConsistent) < count { usleep(100) }
        for number in 50..<100 { log.info("crowd \(thread, "thread") \(number, "number")") }
        living.add(1, ordering: .sequentiallyConsistent)
        while living.load(ordering: .sequentiallyConsistent) < 2 * count { usleep(100) }
      }
    }
    for thread in threads { pthread_join(thread, nil) }
    let last = LogStorm.start(0) { _ in log.info("after the crowd") }
    pthread_join(last, nil)
    LogSystem.flush()
    let counters = LogSystem.counters
    LogStorm.say("\(counters.rings) \(counters.dropped.reduce(0) { $0 + ($1.cause == "no ring" ? $1.count : 0) })")
  }
}
