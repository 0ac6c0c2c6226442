import Glibc
import Synchronization
import TreeRing

/// Threads go on logging while logging is stopped, and after that.
///
///     LogStorm stop THREADS PROGRESS-FILE [STOPS]
///     LogStorm stops COUNT                         logs and stops, so many times, while other threads log for the first time
///
/// The number of a thread's calls that have returned is in the progress file. `stop` says `done`; `stops` prints how many descriptors are open after five stops, and at the
/// end.
enum Stop {
  private static let isOver = Atomic<Bool>(false)
  /// Calls of all threads that have returned.
  private static let calls = Atomic<Int>(0)

  static func runMany() {
    let threads = (0..<2).map { _ in
      LogStorm.start(0) { _ in
        while !isOver.load(ordering: .relaxed) {
          let first = LogStorm.start(0) { _ in log.info("first of a thread") }
          pthread_join(first, nil)
        }
      }
    }
    let count = LogStorm.argument(2, default: 50)
    for stop in 1...count {
      log.info("before stop \(stop, "number")")
      LogSystem.stop()
      if stop == 5 { LogStorm.say("\(Memory.descriptors)") }
    }
    isOver.store(true, ordering: .relaxed)
    for thread in threads { pthread_join(thread, nil) }
    LogSystem.stop()
    LogStorm.say("\(Memory.descriptors)")
    _exit(0)
  }

  static func run() {
    let progress = Progress(LogStorm.argument(3) ?? "/dev/null")
    log.notice("begin")
    let threads = (0..<LogStorm.argument(2, default: 4)).map { thread in
      LogStorm.start(thread) { thread in
        var number = 0
        while !isOver.load(ordering: .relaxed) {
          log.info("number \(number, "number") of \(thread, "thread")")
          number += 1
          progress.store(number, thread: thread)
          calls.add(1, ordering: .relaxed)
          // Slow enough for the rings: the question is what happens around the stop.
          usleep(20)
        }
      }
    }
    for _ in 0..<LogStorm.argument(4, default: 1) {
      usleep(20_000)
      LogSystem.stop()
    }
    // However long that takes on a busy machine: there must be calls after the stop.
    let enough = calls.load(ordering: .relaxed) + 200
    while calls.load(ordering: .relaxed) < enough { usleep(1000) }
    isOver.store(true, ordering: .relaxed)
    for thread in threads { pthread_join(thread, nil) }
    LogStorm.say("done")
    // Without exit handlers: what is in the rings now is for recovery.
    _exit(0)
  }
}
