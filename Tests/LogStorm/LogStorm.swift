import Glibc
import TreeRing

let log = Logger("storm")
let debug = DebugChannel("storm:debug")

/// A program to be killed: it logs from several threads as fast as it can.
///
///     LogStorm THREADS [RECORDS-PER-THREAD]
///
/// Without a number of records it goes on until it is killed.
@main
enum LogStorm {
  static let records = argument(2, default: Int.max)

  static func main() {
    let threads = (0..<argument(1, default: 4)).map(start)
    for thread in threads { pthread_join(thread, nil) }
  }

  static func argument(_ index: Int, default value: Int) -> Int {
    CommandLine.arguments.count > index ? Int(CommandLine.arguments[index]) ?? value : value
  }

  static func start(_ number: Int) -> pthread_t {
    var thread = pthread_t()
    // The thread's number travels as the address: 1 for the first, because NULL is none.
    let context = unsafe UnsafeMutableRawPointer(bitPattern: number + 1)
    unsafe pthread_create(
      &thread, nil,
      { context in
        LogStorm.storm(thread: Int(bitPattern: context) - 1)
        return nil
      }, context)
    return thread
  }

  static func storm(thread: Int) {
    for number in 0..<records {
      log.info("record \(number, "storm.number") of thread \(thread, "storm.thread")") { $0["storm.text"] = "päyload" }
      debug("number \(number)")
    }
  }
}
