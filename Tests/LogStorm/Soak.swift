import Glibc
import Synchronization
import TreeRing

/// Threads come, log and go, for a while, faster than is good for the rings now and then.
///
///     LogStorm soak SECONDS [PAUSE]
///
/// A thread's successor comes after a pause, in microseconds: the usual one makes a gigabyte of lines in ten seconds, an hour needs a longer one.
///
/// Prints `resident KiB, descriptors, threads` once it is warm and at the end, and the counters of the end.
enum Soak {
  private static let isOver = Atomic<Bool>(false)

  static func run() {
    let seconds = LogStorm.argument(2, default: 5)
    log.notice("soak begins")
    let generations = (0..<4).map { LogStorm.start($0) { generation($0) } }
    sleep(UInt32(max(seconds / 4, 1)))
    LogStorm.say(state)
    sleep(UInt32(max(seconds - seconds / 4, 1)))
    LogStorm.say(state)
    isOver.store(true, ordering: .relaxed)
    for thread in generations { pthread_join(thread, nil) }
    LogSystem.flush()
    let counters = LogSystem.counters
    LogStorm.say("\(counters.emitted) \(counters.written) \(counters.droppedTotal) \(counters.rings)")
  }

  private static var state: String { "\(Memory.residentKilobytes) \(Memory.descriptors) \(Memory.threads)" }

  /// One thread after the other, each for a few hundred records, with a pause that lets the writer come to rest now and then.
  private static func generation(_ number: Int) {
    let pause = UInt32(LogStorm.argument(3, default: 2_000))
    var round = 0
    while !isOver.load(ordering: .relaxed) {
      let thread = LogStorm.start(round) { round in
        for record in 0..<(round % 7 == 0 ? 5_000 : 200) {
          log.info("record \(record, "number") of round \(round, "round")") { $0["text"] = "päyload" }
        }
      }
      pthread_join(thread, nil)
      round += 1
      usleep(round % 50 == 0 ? max(50_000, pause) : pause)
    }
  }
}
