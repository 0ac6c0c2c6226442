import Glibc
import Synchronization
import TreeRing

/// Logs from several threads as fast as it can.
enum Storm {
  static func run() {
    let records = LogStorm.argument(2, default: .max)
    let progress = LogStorm.argument(3).map(Progress.init)
    log.notice("storm begins")
    if progress != nil { LogStorm.say("ready") }
    let threads = (0..<LogStorm.argument(1, default: 4)).map { number in
      LogStorm.start(number) { storm(thread: $0, records: records, progress: progress) }
    }
    for thread in threads { pthread_join(thread, nil) }
  }

  private static func storm(thread: Int, records: Int, progress: Progress?) {
    for number in 0..<records {
      log.info("record \(number, "storm.number") of thread \(thread, "storm.thread")") { $0["storm.text"] = "päyload" }
      progress?.store(number + 1, thread: thread)
      debug("number \(number)")
    }
  }
}

/// How many calls of each thread have returned, in a file that outlives the process: what the log is held against.
@safe
struct Progress: @unchecked Sendable {  // each thread stores to a cache line of its own
  private let memory: UnsafeMutableRawPointer
  static let stride = 64
  static let threads = 64

  init(_ path: String) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT, 0o600)
    ftruncate(descriptor, off_t(Self.stride * Self.threads))
    let memory = unsafe mmap(
      nil, Self.stride * Self.threads, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { preconditionFailure("cannot map \(path)") }
    unsafe self.memory = memory
  }

  func store(_ calls: Int, thread: Int) {
    let word = unsafe (memory + thread * Self.stride).assumingMemoryBound(to: Atomic<Int>.self)
    unsafe word.pointee.store(calls, ordering: .sequentiallyConsistent)
  }
}
