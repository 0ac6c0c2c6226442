import CBenchmark
import Logging
import TreeRing

/// How fast records reach a file, and how long one takes. One subject a process.
///
///     WriterThroughputBenchmark SUBJECT FILE
///
/// Subjects: `treering-console`, `treering-json`, `treering-console-small` (rings of the default size), `swift-log`. `BENCHMARK_MESSAGES` says how many messages. The protocols are in `CBenchmark`.
@main
enum WriterThroughputBenchmark {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else {
      unsafe bm_fail("usage: WriterThroughputBenchmark SUBJECT FILE", 64)
    }
    try run(arguments[1], file: arguments[2])
  }

  static func run(_ subject: String, file: String) throws {
    switch subject {
    case "treering-console":
      try start(file, .console, ringSize: sizeOfPeersQueue)
      measure("TreeRing, text", file, BM_CLOCK_TICKS, { Calls.treeRing($0) }, { LogSystem.flush() })
    case "treering-json":
      try start(file, .json, ringSize: sizeOfPeersQueue)
      measure("TreeRing, JSON", file, BM_CLOCK_TICKS, { Calls.treeRing($0) }, { LogSystem.flush() })
    case "treering-console-small":
      try start(file, .console, ringSize: LogConfiguration().ringSize)
      measure("TreeRing, text, default ring", file, BM_CLOCK_TICKS, { Calls.treeRing($0) }, { LogSystem.flush() })
    case "swift-log":
      unsafe bm_redirect_output(file)
      measure("swift-log StreamLogHandler", file, BM_CLOCK_NONE, { Calls.streamLog($0) }, {})
    default:
      unsafe bm_fail("no such subject: \(subject)", 64)
    }
  }

  /// Bytes of a ring that holds about as many of these messages as spdlog's queue, 65,536.
  static let sizeOfPeersQueue = 65_536 * 128

  /// A full ring makes the caller wait, as a full queue does with the peers: a message that was dropped is no throughput.
  static func start(_ file: String, _ format: LogFormat, ringSize: Int) throws {
    try LogSystem.start(
      LogConfiguration(sinks: [.file(file, format: format)], ringSize: ringSize, whenFull: .block))
  }

  static func measure(
    _ name: String, _ file: String, _ clock: BMClock, _ burst: @convention(c) (UInt32) -> Void,
    _ flush: @convention(c) () -> Void
  ) {
    unsafe name.withCString { name in
      unsafe file.withCString { file in
        let subject = unsafe BMSubject(name: name, burst: burst, flush: flush, path: file, clock: clock)
        unsafe bm_throughput(subject)
        unsafe bm_call_to_file(subject)
      }
    }
    let dropped = LogSystem.counters.dropped.reduce(0) { $0 + $1.count }
    if dropped > 0 { unsafe bm_fail("\(dropped) messages were dropped: the figures mean nothing", 1) }
  }
}
