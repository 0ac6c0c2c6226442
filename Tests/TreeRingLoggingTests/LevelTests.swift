import Logging
import Synchronization
import TestSupport
import Testing
import TreeRing
import TreeRingLogging

/// Who decides whether an event is logged, and that nothing is evaluated when it is not.
@Suite struct LevelTests {
  @Test func aLoggerBeginsWithTheLevelOfItsLabel() throws {
    #expect(try RecordedLogger("test").logger.logLevel == .info)
    #expect(try RecordedLogger("quiet").logger.logLevel == .error)
    #expect(try RecordedLogger("chatty").logger.logLevel == .trace)
  }

  @Test(arguments: Logging.Logger.Level.allCases)
  func itsOwnLevelDecides(_ level: Logging.Logger.Level) throws {
    for family in ["quiet", "chatty"] {
      var recorded = try RecordedLogger(family)
      recorded.logger.logLevel = level
      #expect(recorded.logger.logLevel == level)
      for each in Logging.Logger.Level.allCases { recorded.logger.log(level: each, "\(each)") }
      let expected = Logging.Logger.Level.allCases.filter { $0 >= level }.map(\.rawValue)
      #expect(try recorded.records().map(\.level) == expected)
      #expect(try recorded.records().map(\.msg) == expected)
    }
  }

  @Test func nothingIsEvaluatedBelowTheLevel() throws {
    let asked = Atomic(0)
    let recorded = try RecordedLogger(
      provider: .init { ["asked": .stringConvertible(asked.add(1, ordering: .relaxed).newValue)] })
    var evaluated = 0
    func touch<Value>(_ value: Value) -> Value {
      evaluated += 1
      return value
    }
    recorded.logger.debug(
      touch("message"), error: touch(nil), metadata: touch(["key": "value"]), source: touch("source"))
    #expect(evaluated == 0)
    #expect(asked.load(ordering: .relaxed) == 0)
    #expect(try recorded.records().isEmpty)
    recorded.logger.info(
      touch("message"), error: touch(nil), metadata: touch(["key": "value"]), source: touch("source"))
    #expect(evaluated == 4)
    #expect(try recorded.onlyRecord().integer("asked") == 1)
  }

  /// Called directly, as a multiplexing handler does, a handler writes whatever it is given.
  @Test func aHandlerDoesNotJudgeAgain() throws {
    let recorded = try RecordedLogger("quiet")
    recorded.logger.handler.log(
      event: LogEvent(
        level: .trace, message: "given", metadata: nil, source: nil, file: "M/F.swift", function: "f", line: 1))
    #expect(try recorded.onlyRecord().level == "trace")
  }

  @Test func theEnvironmentSetsTheLevelOfALabel() async {
    await #expect(processExitsWith: .success) {
      try Environment.prepare(["TREERING_LEVEL": "warning,http=debug,http.slow=critical"]) {
        TreeRingLogging.bootstrap()
        let levels = ["shop", "http", "http.client", "http.slow"].map { Logging.Logger(label: $0).logLevel }
        try require(levels == [.warning, .debug, .debug, .critical], "\(levels)")
        for label in ["shop", "http"] { Logging.Logger(label: label).debug("from \(label)") }
      } check: { records in
        try require(records.map(\.msg) == ["from http"], "\(records)")
      }
    }
  }

  /// What was set on a logger stays; what was not follows.
  @Test func aLoggerFollowsTheConfigurationUntilItIsGivenALevel() async {
    await #expect(processExitsWith: .success) {
      try Environment.prepare(["TREERING_LEVEL": "info"]) {
        let following = Logging.Logger(label: "a", factory: { TreeRingLogHandler(label: $0) })
        var given = following
        given.logLevel = .notice
        try require(following.logLevel == .info && given.logLevel == .notice, "before")
        LogSystem.stop()
        let directory = try require(Environment.directory)
        try LogSystem.start(LogConfiguration(level: .trace, sinks: [.null], directory: directory))
        try require(following.logLevel == .trace && given.logLevel == .notice, "after")
      } check: { _ in
      }
    }
  }
}
