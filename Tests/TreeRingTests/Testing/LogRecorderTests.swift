import Glibc
import Synchronization
import TestSupport
import Testing
import TreeRing

/// Globals, as the code under test of most programs has them.
private let global = Logger("recorder.global")
private let debug = DebugChannel("recorder:debug")

/// Records in memory: all of them, typed, and nobody else's.
struct LogRecorderTests {
  @Test func aRecordIsThereWhenTheCallReturns() {
    let recorder = LogRecorder()
    let log = recorder.logger("shop.checkout")
    log.info("order \(17, "order.id") placed, total \(12.5, "order.total")") { $0["tags"] = ["new", "paid"] }
    #expect(recorder.records.count == 1)
    let record = recorder.records.first
    #expect(record?.level == .info)
    #expect(record?.label == "shop.checkout")
    #expect(record?.message == "order 17 placed, total 12.5")
    #expect(record?.values == ["order.id": 17, "order.total": 12.5, "tags": ["new", "paid"]])
    #expect(record?["order.id"] == 17 && record?["none"] == nil)
    #expect(record?.fields.map(\.isInMessage) == [true, true, false])
    #expect(record?.isTruncated == false && record?.isDebugChannel == false)
    #expect(abs(Int64(record?.nanosecondsSince1970 ?? 0) - Int64(Syscalls.now(0))) < 60_000_000_000)
  }

  /// The text of the call in the source, with names for values: the same before and after the call site has become known.
  @Test func aRecordKnowsTheTextInTheSource() {
    let recorder = LogRecorder()
    let log = recorder.logger("templates")
    for number in 0..<3 {
      log.info("order \(number, "order.id") of \(["a", "b"], "items") for \(number) placed") { $0["own"] = 1 }
      log.info("\(number)")
      log.info("plain")
    }
    let stored: LogMessage = "kept \(1, "number")"
    log.warning(stored)
    log.info("before \(stored) after")
    let made = "made \(1) at run time"
    log.info(LogMessage(made))
    let templates = recorder.records.map(\.template)
    for turn in 0..<3 {
      #expect(templates[3 * turn] == "order {order.id} of {items} for {} placed")
      #expect(templates[3 * turn + 1] == nil && templates[3 * turn + 2] == "plain")
    }
    #expect(templates[9...] == ["kept {number}", "before kept {number} after", nil])
    var other = recorder.records[0]
    other.template = nil
    #expect(other == recorder.records[0], "it says the same")
  }

  /// A stored message inside of another text, or of a stored one, brings its text and its fields.
  @Test func aMessageStandsInAMessage() {
    let recorder = LogRecorder()
    let log = recorder.logger("messages")
    let stored: LogMessage = "order \(17, "order.id") of \("Ada", "name")"
    let longer: LogMessage = "[\(stored)] \(true, "ok")"
    let expected = ["a 1: order 17 of Ada, b 2", "[order 17 of Ada] true.", "order 17 of Ada", "order 17 of Ada"]
    for turn in 0..<3 {
      log.info("a \(1, "a"): \(stored), b \(2, "b")")
      log.info("\(longer).")
      log.info("\(stored)")
      log.info("\(stored, "message")")
      let records = recorder.records[(turn * 4)...]
      #expect(records.map(\.message) == expected)
      #expect(records.first?.values == ["a": 1, "order.id": 17, "name": "Ada", "b": 2])
      #expect(records.last?.values == ["message": "order 17 of Ada"])
    }
    #expect("\(stored)" == "order 17 of Ada" && longer.description == "[order 17 of Ada] true")
    #expect(LogMessage(String(repeating: "x", count: 100_000)).description.count <= 65_535)
  }

  /// Where an error was logged; of other records nobody asks.
  @Test func errorsTellWhereTheyWereLogged() {
    let recorder = LogRecorder()
    let log = recorder.logger("places")
    for _ in 0..<2 {
      for level in Level.allCases { log.log(level, "text \(1, "number")") { $0["last"] = true } }
      log.error("fixed")
      log.limited(to: 9, per: .seconds(3600)).critical("held back")
      log.error("stored" as LogMessage)
      log.warning("fixed")
    }
    for record in recorder.records {
      #expect(record["source.file"] == (record.level >= .error ? .string(#fileID) : nil), "\(record)")
      #expect((record["source.line"]?.intValue ?? 0 > 0) == (record.level >= .error), "\(record)")
    }
    #expect(
      recorder.records.first { $0.level == .error }?.fields.map(\.key).suffix(3) == [
        "last", "source.file", "source.line",
      ])
  }

  @Test func everyTypeComesBack() {
    let recorder = LogRecorder()
    recorder.logger("types").notice("values") {
      $0["int"] = -5
      $0["uint"] = UInt64.max
      $0["double"] = Double.infinity
      $0["bool"] = false
      $0["null"] = Int?.none
      $0["text"] = "päyload\n"
      $0["duration"] = Duration.milliseconds(1500)
      $0["numbers"] = [[1, 2], []]
      $0.group("outer") { outer in
        outer["a"] = 1
        outer.group("inner") { $0["b"] = "c" }
      }
    }
    #expect(
      recorder.records.first?.values == [
        "int": -5, "uint": .integer(Int128(UInt64.max)), "double": .double(.infinity), "bool": false, "null": .null,
        "text": "päyload\n", "duration": .duration(.milliseconds(1500)), "numbers": [[1, 2], []],
        "outer": ["a": 1, "inner": ["b": "c"]],
      ])
  }

  @Test func childLoggersErrorsAndStoredMessagesAreRecorded() {
    struct Refused: Error {}
    let recorder = LogRecorder()
    let request = recorder.logger("http").with { $0["request.id"] = "r1" }
    let stored: LogMessage = "kept \(1, "number")"
    request.warning(stored, Refused()) { $0["status"] = 502 }
    request.with { $0["step"] = 2 }.info("next")
    #expect(recorder.records.map(\.message) == ["kept 1", "next"])
    #expect(recorder.records[0]["request.id"] == "r1" && recorder.records[0]["status"] == 502)
    #expect(recorder.records[0]["error.type"]?.stringValue?.hasSuffix("Refused") == true)
    #expect(recorder.records[1].values == ["request.id": "r1", "step": 2])
  }

  @Test func whatIsOffIsNotEvaluated() {
    let recorder = LogRecorder(level: .warning)
    let log = recorder.logger("quiet")
    var evaluated = 0
    func count() -> Int {
      evaluated += 1
      return evaluated
    }
    log.info("\(count())")
    log.error("\(count())")
    #expect(evaluated == 1 && recorder.records.map(\.level) == [.error])
    #expect(!log.isEnabled(.notice) && log.isEnabled(.warning))
    #expect(recorder.records.count == 1, "asking records nothing")
  }

  @Test func aRecordThatIsTooLargeIsCutAndMarked() {
    let recorder = LogRecorder()
    recorder.logger("large").info("start \(String(repeating: "x", count: 100_000), "text") end")
    #expect(recorder.records.first?.isTruncated == true)
    #expect(recorder.records.first?.message.hasPrefix("start xxx") == true)
  }

  @Test func theLimitHolds() {
    let recorder = LogRecorder(limit: 3)
    let log = recorder.logger("many")
    for number in 0..<5 { log.info("\(number)") }
    #expect(recorder.records.map(\.message) == ["0", "1", "2"] && recorder.discarded == 2)
    recorder.removeAll()
    log.info("again")
    #expect(recorder.records.count == 1 && recorder.discarded == 0)
  }

  @Test func aLoggerOutlivesItsRecorderAndItsParent() {
    var child: Logger?
    do {
      let recorder = LogRecorder()
      child = recorder.logger("gone").with { $0["still"] = true }
    }
    child?.info("to nobody")
    #expect(child?.label == "gone")
  }

  @Test func recordersOfManyThreadsKeepTheirRecordsApart() async {
    await withTaskGroup { group in
      for number in 0..<8 {
        group.addTask {
          let recorder = LogRecorder()
          let log = recorder.logger("same.label")
          for turn in 0..<500 { log.info("\(number) \(turn)") }
          #expect(recorder.records.map(\.message) == (0..<500).map { "\(number) \($0)" })
        }
      }
    }
  }

  @Test func oneRecorderTakesRecordsOfManyThreads() async {
    let recorder = LogRecorder()
    let log = recorder.logger("shared")
    await withTaskGroup { group in
      for number in 0..<8 { group.addTask { for turn in 0..<500 { log.info("\(number * 500 + turn, "number")") } } }
    }
    #expect(recorder.records.compactMap { $0["number"]?.intValue }.sorted() == Array(0..<4000))
  }

  // MARK: recording what has loggers of its own

  @Test func globalsOfTheCodeUnderTestAreRecorded() async {
    let recorder = LogRecorder()
    let answer = await recorder.recording {
      global.trace("before")
      await withTaskGroup { group in
        for number in 0..<10 { group.addTask { global.info("child \(number, "number")") } }
      }
      await Task { global.info("a task made inside") }.value
      debug("debug \(1, "number")")
      return 42
    }
    #expect(answer == 42)
    #expect(recorder.records.count == 13)
    #expect(recorder.records.first?.message == "before" && recorder.records.first?.level == .trace)
    #expect(recorder.records.filter { $0.message.hasPrefix("child") }.count == 10)
    #expect(recorder.records.last?.label == "recorder:debug" && recorder.records.last?.isDebugChannel == true)
    #expect(recorder.records.allSatisfy { $0.label.hasPrefix("recorder") })
  }

  @Test func channelsAreOnAsTheRecorderSays() {
    let recorder = LogRecorder(debug: "other:*")
    recorder.recording {
      debug("never")
      #expect(!debug.isEnabled)
      DebugChannel("other:one")("heard")
    }
    #expect(recorder.records.map(\.message) == ["heard"])
  }

  @Test func scopesNestAndParallelScopesSeeTheirOwn() async {
    await withTaskGroup { group in
      for number in 0..<8 {
        group.addTask {
          let outer = LogRecorder()
          let inner = LogRecorder(level: .error)
          for turn in 0..<50 {
            outer.recording {
              global.info("outer \(number) \(turn)")
              inner.recording {
                global.info("off")
                global.error("inner \(number) \(turn)")
              }
            }
          }
          #expect(outer.records.map(\.message) == (0..<50).map { "outer \(number) \($0)" })
          #expect(inner.records.map(\.message) == (0..<50).map { "inner \(number) \($0)" })
        }
      }
    }
  }

  @Test func aScopePassesErrorsOn() async {
    struct Wrong: Error, Equatable {}
    let recorder = LogRecorder()
    #expect(throws: Wrong()) { try recorder.recording { throw Wrong() } }
    await #expect(throws: Wrong()) {
      try await recorder.recording {
        await Task.yield()
        throw Wrong()
      }
    }
  }

  @Test func aTestCanWaitForARecord() async {
    let recorder = LogRecorder()
    let log = recorder.logger("late")
    log.info("first")
    let task = Task {
      for number in 0..<100 {
        await Task.yield()
        log.info("number \(number, "number")")
      }
    }
    #expect(await recorder.first { $0.message == "first" } != nil)
    // Other tests wait for processes, and keep the two threads that tasks have here: this task may have to wait long for its turn.
    #expect(await recorder.first(within: .seconds(300)) { $0["number"] == 99 }?.message == "number 99")
    #expect(await recorder.first(within: .milliseconds(1)) { $0.message == "never" } == nil)
    await task.value
  }

  // MARK: beside the process's own log

  @Test func aRecorderStartsNothing() async {
    await #expect(processExitsWith: .success) {
      let recorder = LogRecorder()
      recorder.logger("alone").critical("nobody hears it")
      recorder.recording { Logger("recorder.global").critical("nor this") }
      precondition(recorder.records.count == 2)
      precondition(LogSystem.counters.rings == 0)
      // Logging can still be started: it has not been.
      let directory = try TemporaryDirectory()
      try LogSystem.start(LogConfiguration(sinks: [.null], directory: directory.path))
      LogSystem.stop()
    }
  }

  @Test func aRecorderCanBeTheSinkOfTheProcess() async {
    await #expect(processExitsWith: .success) {
      let recorder = LogRecorder()
      let directory = try TemporaryDirectory()
      unsafe setenv("XDG_RUNTIME_DIR", directory.path, 1)
      try startLogging(into: recorder)
      let log = Logger("whole.program")
      log.info("order \(17, "order.id") took \(Duration.milliseconds(1500), "took")") { $0["tags"] = ["a"] }
      log.debug("off")
      LogSystem.flush()
      precondition(recorder.records.count == 1, "\(recorder.records)")
      precondition(recorder.records[0].label == "whole.program" && recorder.records[0]["order.id"] == 17)
      precondition(recorder.records[0]["took"] == 1.5 && recorder.records[0]["tags"] == ["a"])
      LogSystem.stop()
      precondition(recorder.records.suffix(2).map(\.message) == ["process closed", "ring closed"])
    }
  }

  @Test func callsInsideOfCallsGoWhereTheyBelong() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      try LogSystem.start(LogConfiguration(sinks: [.null], directory: directory.path))
      let (one, other) = (LogRecorder(), LogRecorder())
      let (first, second) = (one.logger("first"), other.logger("second"))
      let real = Logger("real")
      func say(_ logger: Logger, _ text: String) -> String {
        logger.info("\(text)")
        return text
      }
      // The thread's first call of all, inside of a recorded one.
      first.info("a \(say(real, "b"), "field") c \(say(second, "d")) e")
      real.info("f \(say(first, "g")) h \(say(real, "i")) j \(say(second, say(first, "k")))")
      second.info("l \(say(second, say(second, say(second, "m"))))")
      precondition(one.records.map(\.message) == ["a b c d e", "g", "k"], "\(one.records)")
      precondition(other.records.map(\.message) == ["d", "k", "m", "m", "m", "l m"], "\(other.records)")
      precondition(LogSystem.counters.emitted == 3, "\(LogSystem.counters)")
      precondition(LogSystem.counters.droppedTotal == 0)
      LogSystem.flush()
      precondition(LogSystem.counters.written == 3)
      LogSystem.stop()
    }
  }

  @Test func whenTheLastScopeEndsTheProcessLogsAsBefore() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      try LogSystem.start(LogConfiguration(level: .info, sinks: [.null], directory: directory.path, debug: "x"))
      let log = Logger("recorder.global")
      log.info("one")
      log.debug("off")
      let recorder = LogRecorder()
      recorder.recording { log.debug("on") }
      log.debug("off")
      log.info("two")
      precondition(!log.isEnabled(.debug) && log.isEnabled(.info))
      precondition(recorder.records.map(\.message) == ["on"])
      precondition(LogSystem.counters.emitted == 2, "\(LogSystem.counters)")
      LogSystem.stop()
      // A recorded call after the stop makes no ring.
      recorder.recording { log.info("still") }
      precondition(recorder.records.count == 2 && LogSystem.counters.rings == 0)
    }
  }
}
