import Foundation
import TestSupport
import Testing
import TreeRing

/// Calls that hold themselves back.
@Suite struct RestrainedLoggerTests {
  private let recorder = LogRecorder()
  private var log: Logger { recorder.logger("test") }
  private var messages: [String] { recorder.records.map(\.message) }

  @Test func aLimitHoldsForEachCallByItself() {
    for number in 0..<100 {
      log.limited(to: 3, per: .seconds(3600)).info("first \(number)")
      log.limited(to: 1, per: .seconds(3600)).info("second \(number)");
      log.limited(to: 1, per: .seconds(3600)).info("third \(number)")
    }
    #expect(Set(messages) == ["first 0", "first 1", "first 2", "second 0", "third 0"])
  }

  @Test func whatIsHeldBackIsNotEvaluated() {
    var evaluated = 0
    func touch() -> Int {
      evaluated += 1
      return evaluated
    }
    for _ in 0..<10 { log.limited(to: 2, per: .seconds(3600)).info("\(touch())") { $0["field"] = touch() } }
    #expect(evaluated == 4)
    for _ in 0..<10 { log.sampled(oneIn: 5).info("\(touch())") }
    #expect(evaluated == 6)
  }

  @Test func aCallBelowItsLevelCountsForNothing() {
    let quiet = LogRecorder(level: .warning)
    var isLoud = false
    for number in 0..<20 {
      if number == 10 { isLoud = true }
      quiet.logger("test").limited(to: 2, per: .seconds(3600)).log(isLoud ? .error : .debug, "\(number)")
    }
    #expect(quiet.records.map(\.message) == ["10", "11"])
  }

  /// The next period is waited for, however slow the machine: nothing here must be quick.
  @Test func whatWasSuppressedIsToldInTheNextPeriod() async throws {
    func call(_ number: Int) { log.limited(to: 1, per: .milliseconds(300)).warning("number \(number, "number")") }
    var number = 0
    while recorder.records.count < 3 {
      call(number)
      number += 1
      if number.isMultiple(of: 1000) { try await Task.sleep(for: .milliseconds(20)) }
    }
    let records = recorder.records
    let suppressed = try #require(records[1]["treering.suppressed"]?.intValue)
    #expect(records[1].message == "records suppressed: \(suppressed)")
    #expect(records[1].level == .warning)
    #expect(records[1]["source.file"]?.stringValue?.hasSuffix("RestrainedLoggerTests.swift") == true)
    #expect(records[2]["number"]?.intValue == suppressed + 1)
  }

  @Test func aSampleTellsWhatItStandsFor() {
    for number in 0..<250 { log.sampled(oneIn: 100).info("number \(number)") { $0["own"] = true } }
    #expect(messages == ["number 0", "number 100", "number 200"])
    #expect(recorder.records.allSatisfy { $0["treering.sampled"]?.intValue == 100 && $0["own"] != nil })
    for _ in 0..<3 { log.sampled(oneIn: 0).info("every one") }
    #expect(messages.suffix(3) == ["every one", "every one", "every one"])
  }

  @Test func repeatsAreFolded() {
    struct Refused: Error {}
    for text in ["a", "a", "a", "b", "b", "a"] { log.foldingRepeats().error("said \(text, "text")", Refused()) }
    #expect(
      messages == ["said a", "last message repeated 2 times", "said b", "last message repeated 1 times", "said a"])
    #expect(recorder.records.map { $0["treering.repeated"]?.intValue } == [nil, 2, nil, 1, nil])
    #expect(recorder.records[0]["text"]?.stringValue == "a")
    #expect(recorder.records[0]["error.message"]?.stringValue == "Refused()")
  }

  @Test func fieldsMakeADifference() {
    for number in [1, 1, 2] { log.foldingRepeats().info("same") { $0["number"] = number } }
    #expect(messages == ["same", "last message repeated 1 times", "same"])
  }

  /// However slow the machine: some time two calls are closer than the period, and some time two are not.
  @Test func aRepeatIsWrittenAgainAfterAWhile() async throws {
    func told() -> Int? { recorder.records.firstIndex { $0["treering.repeated"] != nil } }
    while true {
      if let told = told(), recorder.records.count > told + 1 { break }
      for _ in 0..<100 { log.foldingRepeats(within: .milliseconds(50)).info("same") }
      try await Task.sleep(for: .milliseconds(5))
    }
    let index = try #require(told())
    let repeats = try #require(recorder.records[index]["treering.repeated"]?.intValue)
    #expect(messages[index] == "last message repeated \(repeats) times")
    #expect(messages[index - 1] == "same" && messages[index + 1] == "same")
  }

  @Test func aDebugChannelIsHeldBackAsALoggerIs() async throws {
    let channel = DebugChannel("restrained:channel")
    try await recorder.recording {
      for number in 0..<100 { channel.limited(to: 3, per: .seconds(3600))("limited \(number)") }
      for number in 0..<100 { channel.sampled(oneIn: 50)("sampled \(number)") { $0["own"] = true } }
      for text in ["a", "a", "b"] { channel.foldingRepeats()("said \(text)") }
      var number = 0
      // However slow the machine: the next period is waited for.
      while !messages.contains(where: { $0.hasPrefix("records suppressed") }) {
        channel.limited(to: 1, per: .milliseconds(100))("number \(number, "number")")
        number += 1
        if number.isMultiple(of: 1000) { try await Task.sleep(for: .milliseconds(20)) }
      }
    }
    #expect(recorder.records.allSatisfy { $0.isDebugChannel && $0.label == "restrained:channel" && $0.level == .debug })
    #expect(messages.prefix(3) == ["limited 0", "limited 1", "limited 2"])
    #expect(messages[3...].prefix(2) == ["sampled 0", "sampled 50"])
    #expect(recorder.records[4]["treering.sampled"] == 50 && recorder.records[4]["own"] == true)
    #expect(messages[5...].prefix(3) == ["said a", "last message repeated 1 times", "said b"])
    let told = try #require(recorder.records.first { $0["treering.suppressed"] != nil })
    #expect(told["source.file"]?.stringValue == #fileID)
  }

  /// A channel that is off is not counted, and not evaluated.
  @Test func aChannelThatIsOffIsHeldBackByNobody() {
    let quiet = LogRecorder(debug: "-*")
    let channel = DebugChannel("restrained:off")
    var evaluated = 0
    func touch() -> Int {
      evaluated += 1
      return evaluated
    }
    quiet.recording { for _ in 0..<9 { channel.limited(to: 1, per: .seconds(3600))("\(touch())") } }
    #expect(evaluated == 0)
    #expect(quiet.records.isEmpty)
  }

  @Test func storedMessagesAreHeldBackToo() {
    let messages = (0..<3).map { number -> LogMessage in "stored \(number, "number")" }
    for message in messages { log.limited(to: 1, per: .seconds(3600)).warning(message) }
    let channel = DebugChannel("restrained:stored")
    recorder.recording { for message in messages { channel(message) { $0["own"] = 1 } } }
    #expect(self.messages == ["stored 0", "stored 0", "stored 1", "stored 2"])
    #expect(recorder.records.last?["number"] == 2 && recorder.records.last?["own"] == 1)
    #expect(recorder.records.last?.isDebugChannel == true)
  }

  @Test func threadsShareALimit() {
    let log = log
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for number in 0..<1000 { log.limited(to: 100, per: .seconds(3600)).info("\(number)") }
    }
    #expect(recorder.records.count == 100)
  }

  /// Out here, because all of a macro's argument has one place in the source.
  private static func callsOfTheRest(_ log: Logger) {
    for _ in 0..<10 { log.limited(to: 1, per: .seconds(3600)).warning("limited") }
    for _ in 0..<5 { log.foldingRepeats().error("folded") }
    let channel = DebugChannel("rest:channel")
    for _ in 0..<8 { channel.limited(to: 1, per: .seconds(3600))("limited") }
  }

  @Test func theRestIsToldWhenLoggingStops() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      let file = directory.file("log")
      try LogSystem.start(LogConfiguration(sinks: [.file(file)], directory: directory.path, debug: "rest:*"))
      let log = Logger("rest")
      Self.callsOfTheRest(log)
      #expect(LogSystem.counters.suppressed == 9 + 4 + 7)
      LogSystem.stop()
      let lines = try JSONRecord.read(file).filter { $0.ns == "rest:channel" }
      #expect(lines.compactMap { $0.integer("treering.suppressed") } == [7])
      let records = try JSONRecord.read(file).filter { $0.logger == "rest" }
      #expect(records.compactMap { $0.integer("treering.suppressed") } == [9])
      #expect(records.compactMap { $0.integer("treering.repeated") } == [4])
      let rest = try #require(records.first { $0.integer("treering.suppressed") == 9 })
      #expect(rest.level == "warning" && rest["source.file"] as? String == #fileID)
    }
  }
}
