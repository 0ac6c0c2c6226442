import CBenchmark
import TreeRing

/// What a log call costs its caller. One subject a process, because a subject's threads would disturb the next one.
///
///     CallSiteBenchmark SUBJECT FOLDER
///
/// Subjects: `baseline`, `treering`, `treering-disabled`, `treering-channel-off`, `swift-log-disabled`, and swift-log with three handlers:
/// `swift-log-no-op`, `swift-log-treering`, `swift-log-stream`, each also with `-literal`, `-metadata` and `-context`. Records go to `log` in FOLDER, and the rings
/// live there too. The protocols are in `CBenchmark`.
@main
enum CallSiteBenchmark {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else {
      unsafe bm_fail("usage: CallSiteBenchmark SUBJECT FOLDER", 64)
    }
    try run(arguments[1], Folder(arguments[2]))
  }

  static func run(_ subject: String, _ folder: Folder) throws {
    switch subject {
    case "baseline":
      bm_disabled_baseline()
      bm_clocks()
    case "treering":
      try folder.startTreeRing()
      folder.enabled("TreeRing", BM_CLOCK_TICKS, { TreeRingCalls.enabled($0) }, { LogSystem.flush() })
      expectNoDrops()
    case "treering-disabled":
      try folder.startTreeRing()
      unsafe bm_disabled("TreeRing") { TreeRingCalls.disabled($0) }
    case "treering-channel-off":
      try folder.startTreeRing(debug: "benchmark:elsewhere")
      channelThatIsOn("one line")
      unsafe bm_disabled("TreeRing debug channel") { TreeRingCalls.channelOff($0) }
    case "swift-log-disabled":
      unsafe bm_disabled("swift-log") { SwiftLogCalls.disabled($0) }
    default:
      guard let call = SwiftLogSubject(named: subject) else { unsafe bm_fail("no such subject: \(subject)", 64) }
      try call.run(folder)
    }
  }

  /// A call that dropped its record was cheaper than one that wrote it.
  static func expectNoDrops() {
    let dropped = LogSystem.counters.droppedTotal
    if dropped > 0 { unsafe bm_fail("\(dropped) records were dropped: the figures mean nothing", 1) }
  }
}
