import Testing

@testable import TreeRing

/// `pattern=level` in `DEBUG`, and channels switched by hand.
@Suite struct DebugLevelTests {
  private func policy(_ spec: String, level: Level = .info, rules: [LogConfiguration.LevelRule] = []) -> LogPolicy {
    LogPolicy(level: level, rules: rules, filter: DebugFilter(parsing: spec))
  }

  @Test func setsTheLevelOfMatchingLoggers() {
    let policy = policy("shop.*=trace,http=error,shop.db=debug", rules: [.init(prefix: "shop", level: .warning)])
    #expect(policy.threshold(of: "shop.checkout") == Level.trace.rawValue)
    #expect(policy.threshold(of: "shop.db") == Level.debug.rawValue, "the longest pattern wins")
    #expect(policy.threshold(of: "shop") == Level.warning.rawValue)
    #expect(policy.threshold(of: "http") == Level.error.rawValue)
    #expect(policy.threshold(of: "other") == Level.info.rawValue)
  }

  /// Whatever npm takes for a name stays one.
  @Test func changesNothingForChannels() {
    let filter = DebugFilter(parsing: "a=debug,b=loud")
    #expect(filter.isEnabled("a=debug") && !filter.isEnabled("a"))
    #expect(filter.isEnabled("b=loud") && filter.levels.count == 1)
    #expect(filter.spec == "a=debug,b=loud")
  }

  @Test func byHandWinsAndIsGivenBack() {
    var policy = policy("app").overriding("app", false).overriding("other", true)
    #expect(!policy.allowsChannel("app") && policy.allowsChannel("other"))
    policy = policy.with(DebugFilter(parsing: "-other"))
    #expect(!policy.allowsChannel("app") && policy.allowsChannel("other"), "a new filter leaves them as they are")
    policy = policy.overriding("other", nil).overriding("app", nil)
    #expect(!policy.allowsChannel("app") && !policy.allowsChannel("other"))
    #expect(policy.with(DebugFilter(parsing: "*")).allowsChannel("app"))
  }
}
