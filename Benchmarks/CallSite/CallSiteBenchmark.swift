import CBenchmark
import TreeRing

/// What a log call costs its caller. One subject a process, because a subject's threads would disturb the next one.
///
///     CallSiteBenchmark SUBJECT FILE
///
/// Subjects: `treering`, `treering-disabled`, `treering-channel-off`, `swift-log`, `swift-log-metadata`, `swift-log-disabled`, `baseline`.
/// FILE receives the records. The protocols are in `CBenchmark`.
@main
enum CallSiteBenchmark {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else {
      unsafe bm_fail("usage: CallSiteBenchmark SUBJECT FILE", 64)
    }
    try run(arguments[1], file: arguments[2])
  }

  static func run(_ subject: String, file: String) throws {
    switch subject {
    case "baseline":
      bm_disabled_baseline()
      bm_clocks()
    case "treering":
      try start(file)
      enabled("TreeRing", file, BM_CLOCK_TICKS, { TreeRingCalls.enabled($0) }, { LogSystem.flush() })
      expectNoDrops()
    case "treering-disabled":
      try start(file)
      unsafe bm_disabled("TreeRing") { TreeRingCalls.disabled($0) }
    case "treering-channel-off":
      try start(file)
      unsafe bm_disabled("TreeRing debug channel") { TreeRingCalls.channelOff($0) }
    case "swift-log":
      unsafe bm_redirect_output(file)
      enabled("swift-log StreamLogHandler", file, BM_CLOCK_NONE, { StreamLogCalls.enabled($0) }, {})
    case "swift-log-metadata":
      unsafe bm_redirect_output(file)
      enabled(
        "swift-log StreamLogHandler, metadata", file, BM_CLOCK_NONE, { StreamLogCalls.enabledWithMetadata($0) }, {})
    case "swift-log-disabled":
      unsafe bm_disabled("swift-log") { StreamLogCalls.disabled($0) }
    default:
      unsafe bm_fail("no such subject: \(subject)", 64)
    }
  }

  static func start(_ file: String) throws {
    try LogSystem.start(LogConfiguration(sinks: [.file(file, format: .console)]))
  }

  static func enabled(
    _ name: String, _ file: String, _ clock: BMClock, _ burst: @convention(c) (UInt32) -> Void,
    _ flush: @convention(c) () -> Void
  ) {
    unsafe name.withCString { name in
      unsafe file.withCString { file in
        unsafe bm_enabled(BMSubject(name: name, burst: burst, flush: flush, path: file, clock: clock))
      }
    }
  }

  /// A call that dropped its record was cheaper than one that wrote it.
  static func expectNoDrops() {
    let dropped = LogSystem.counters.dropped.reduce(0) { $0 + $1.count }
    if dropped > 0 { unsafe bm_fail("\(dropped) records were dropped: the figures mean nothing", 1) }
  }
}
