import CBenchmark
import TreeRing

/// What a log call costs its caller. One subject a process, because a subject's threads would disturb the next one.
///
///     CallSiteBenchmark SUBJECT FILE
///
/// Subjects: `baseline`, `treering`, `treering-disabled`, `treering-channel-off`, `swift-log-disabled`, and swift-log with three handlers:
/// `swift-log-no-op`, `swift-log-treering`, `swift-log-stream`, each also with `-literal` and `-metadata`. FILE receives the records. The protocols are in `CBenchmark`.
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
    case "swift-log-disabled":
      unsafe bm_disabled("swift-log") { SwiftLogCalls.disabled($0) }
    default:
      guard try runSwiftLog(subject, file) else { unsafe bm_fail("no such subject: \(subject)", 64) }
    }
  }

  /// The handlers of swift-log, each with an interpolated message, one without values, and one with metadata.
  static func runSwiftLog(_ subject: String, _ file: String) throws -> Bool {
    switch subject {
    case "swift-log-no-op":
      enabled("swift-log no-op", "", BM_CLOCK_NONE, { SwiftLogCalls.enabled(noOpLog, $0) }, {})
    case "swift-log-no-op-literal":
      enabled("swift-log no-op, literal", "", BM_CLOCK_NONE, { SwiftLogCalls.literal(noOpLog, $0) }, {})
    case "swift-log-no-op-metadata":
      enabled("swift-log no-op, metadata", "", BM_CLOCK_NONE, { SwiftLogCalls.enabledWithMetadata(noOpLog, $0) }, {})
    case "swift-log-treering":
      try treeRingLogging("swift-log TreeRing", file) { SwiftLogCalls.enabled(treeRingLog, $0) }
    case "swift-log-treering-literal":
      try treeRingLogging("swift-log TreeRing, literal", file) { SwiftLogCalls.literal(treeRingLog, $0) }
    case "swift-log-treering-metadata":
      try treeRingLogging("swift-log TreeRing, metadata", file) { SwiftLogCalls.enabledWithMetadata(treeRingLog, $0) }
    case "swift-log-stream":
      unsafe bm_redirect_output(file)
      enabled("swift-log StreamLogHandler", file, BM_CLOCK_NONE, { SwiftLogCalls.enabled(streamLog, $0) }, {})
    case "swift-log-stream-literal":
      unsafe bm_redirect_output(file)
      enabled("swift-log StreamLogHandler, literal", file, BM_CLOCK_NONE, { SwiftLogCalls.literal(streamLog, $0) }, {})
    case "swift-log-stream-metadata":
      unsafe bm_redirect_output(file)
      enabled(
        "swift-log StreamLogHandler, metadata", file, BM_CLOCK_NONE,
        { SwiftLogCalls.enabledWithMetadata(streamLog, $0) }
      ) {}
    default: return false
    }
    return true
  }

  static func treeRingLogging(_ name: String, _ file: String, _ burst: @convention(c) (UInt32) -> Void) throws {
    try start(file)
    enabled(name, file, BM_CLOCK_TICKS, burst, { LogSystem.flush() })
    expectNoDrops()
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
