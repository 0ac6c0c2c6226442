import CTreeRing
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// A ring that fills: what goes first, what is waited for, and that all of it is counted and told.
@Suite struct OverflowTests {
  /// Nobody drains: debug finds no room first, then info, then warning; the stream is told the same numbers.
  @Test func theLowestLevelsAreShedFirst() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      try LogSystem.start(
        LogConfiguration(
          level: .trace, sinks: [], directory: directory.file("rings"), ringSize: 65_536, writer: .external))
      let log = Logger("overflow")
      func fill(_ level: Level) -> Int {
        var accepted = 0
        let dropped = LogSystem.counters.droppedTotal
        while LogSystem.counters.droppedTotal == dropped {
          log.log(level, "some text that takes some room \(accepted, "number")")
          accepted += 1
          precondition(accepted < 100_000, "nothing is ever dropped")
        }
        return accepted - 1
      }
      let (debug, info, warning) = (fill(.debug), fill(.info), fill(.warning))
      // Five, one and one eighths of the ring: the last eighth is what the largest record may need.
      precondition(debug > 3 * info && info > 0 && warning > 0, "\(debug) \(info) \(warning)")
      for level in Level.allCases { log.log(level, "too late") }
      let counts = Dictionary(uniqueKeysWithValues: LogSystem.counters.dropped.map { ($0.level, $0.count) })
      let expected: [Level: UInt64] = [
        .trace: 1, .debug: 2, .info: 2, .notice: 1, .warning: 2, .error: 1, .critical: 1,
      ]
      precondition(counts == expected, "\(counts)")
      try OverflowTests.checkStream(directory, expected, records: debug + info + warning)
      // There is room again, for the lowest as well.
      log.trace("room")
      precondition(LogSystem.counters.droppedTotal == 10)
    }
  }

  /// Two records of one level and one of the others were dropped, with the times of the first and the last.
  private static func checkStream(
    _ directory: TemporaryDirectory, _ expected: [Level: UInt64], records: Int
  ) throws {
    let sink = MemorySink()
    let path = try RingDirectory.files(in: directory.file("rings"))[0]
    let collector = try RingCollector(path: path) { _ in [sink] }
    while collector.step() == .delivered {}
    let account = try StreamAccount(sink.records(), isClosed: false)
    precondition(account.faults.isEmpty && account.records.count == records, "\(account.faults)")
    let notices = try sink.records().filter { $0.msg == "records dropped" }
    precondition(notices.count == 1 && notices[0]["treering.cause"] as? String == "ring full")
    guard let levels = notices[0]["treering.levels"] as? [String: Int],
      let first = notices[0]["treering.first"] as? String, let last = notices[0]["treering.last"] as? String
    else { preconditionFailure("\(notices)") }
    precondition(levels == Dictionary(uniqueKeysWithValues: expected.map { ($0.key.name, Int($0.value)) }))
    precondition(first < last, "\(first) \(last)")
  }

  /// `block` waits for a while, and only then drops.
  @Test func blockWaitsAndThenDrops() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      try LogSystem.start(
        LogConfiguration(
          sinks: [], directory: directory.file("rings"), ringSize: 65_536, whenFull: .block, writer: .external))
      let log = Logger("overflow")
      var longest: UInt64 = 0
      while LogSystem.counters.droppedTotal == 0 {
        let start = Syscalls.now(CLOCK_MONOTONIC)
        log.info("some text that takes some room")
        longest = max(longest, Syscalls.now(CLOCK_MONOTONIC) - start)
        precondition(LogSystem.counters.emitted < 100_000, "nothing is ever dropped")
      }
      // The wait is 0.2 s by the clock. A machine under load makes it longer; nothing makes it shorter.
      precondition(longest >= 200_000_000, "\(longest)")
      precondition(LogSystem.counters.droppedTotal == 1)
    }
  }

  /// With a writer that keeps going nothing is dropped, however small the ring.
  @Test func blockLosesNothingWhileTheWriterWrites() throws {
    let clock = StillClock()
    for _ in 0..<5 {
      let run = try StormRun(["TREERING_WHEN_FULL": "block", "TREERING_RING_SIZE": "64KiB"])
      let begin = StillClock.now()
      try run.finish("4", "5000", run.progressFile)
      let end = StillClock.now()
      let account = try StreamAccount(run.records())
      guard account.rings.values.contains(where: { $0.dropped > 0 }) else {
        try run.checkStorm(account, threads: 4, seed: 0)
        #expect(account.records.count == 20_001)
        return
      }
      // A call waits for a fifth of a second: a writer that got no processor for as long did not keep going. Then it is tried again.
      try #require(end - begin - clock.running(from: begin, to: end) > 0.15, "dropped while the machine ran")
    }
    Issue.record("in none of five runs the machine ran throughout")
  }

  /// The text is cut, the mark is there, and the next record is whole.
  @Test(arguments: [10_000, 100_000, 1_000_000])
  func anOversizedRecordIsCutAndMarked(size: Int) throws {
    let run = try StormRun(["TREERING_RING_SIZE": "64KiB"])
    try run.finish("large", "\(size)")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    #expect(account.records.count == 4)
    for record in account.records.prefix(3) {
      #expect(record["treering.truncated"] as? Bool == true)
      #expect(record.msg?.hasPrefix("large") == true)
    }
    #expect(account.records[0].line.utf8.count > 4000, "what fits is kept")
    #expect(account.records[3].msg == "afterwards")
    #expect(account.records[3]["treering.truncated"] == nil)
  }
}
