import Glibc
import TestSupport
import Testing
import TreeRing

/// Levels that change while the program runs. Each test is a process of its own.
@Suite struct LevelChangeTests {
  private static let log = Logger("shop.checkout")

  /// Which levels `log` writes.
  private static var enabled: [Level] { Level.allCases.filter { log.isEnabled($0) } }

  private static func from(_ level: Level) -> [Level] { Level.allCases.filter { $0 >= level } }

  private static func start(level: Level = .info, levels: [LogConfiguration.LevelRule] = []) throws
    -> TemporaryDirectory
  {
    let directory = try TemporaryDirectory()
    try LogSystem.start(LogConfiguration(level: level, levels: levels, sinks: [.null], directory: directory.path))
    return directory
  }

  @Test func aChangeReachesLoggersThatHaveLoggedAlready() async {
    await #expect(processExitsWith: .success) {
      let directory = try Self.start()
      defer { withExtendedLifetime(directory) { LogSystem.stop() } }
      #expect(Self.enabled == Self.from(.info))
      for level in Level.allCases.reversed() {
        LogSystem.setLevel(level)
        #expect(Self.enabled == Self.from(level))
        #expect(LogSystem.level(of: "anything") == level)
      }
    }
  }

  @Test func theLongestPrefixWins() async {
    await #expect(processExitsWith: .success) {
      let directory = try Self.start(levels: [.init(prefix: "shop", level: .error)])
      defer { withExtendedLifetime(directory) { LogSystem.stop() } }
      #expect(Self.enabled == Self.from(.error))
      LogSystem.setLevel(.debug, for: "shop.check")
      #expect(Self.enabled == Self.from(.debug))
      LogSystem.setLevel(.critical, for: "shop")
      LogSystem.setLevel(.trace)
      #expect(Self.enabled == Self.from(.debug))
      LogSystem.resetLevel(for: "shop.check")
      #expect(Self.enabled == Self.from(.critical))
      #expect(LogSystem.level(of: "shopping") == .critical)
      #expect(LogSystem.level(of: "other") == .trace)
    }
  }

  @Test func theConfigurationsLevelsComeBack() async {
    await #expect(processExitsWith: .success) {
      let directory = try Self.start(level: .notice, levels: [.init(prefix: "shop.*", level: .warning)])
      defer { withExtendedLifetime(directory) { LogSystem.stop() } }
      LogSystem.setLevel(.trace)
      LogSystem.setLevel(.trace, for: "shop.*")
      #expect(Self.enabled == Self.from(.trace))
      LogSystem.resetLevels()
      #expect(Self.enabled == Self.from(.warning))
      #expect(LogSystem.level(of: "other") == .notice)
    }
  }

  @Test func whatDebugSaysOfALoggerComesFirst() async {
    await #expect(processExitsWith: .success) {
      let directory = try Self.start()
      defer { withExtendedLifetime(directory) { LogSystem.stop() } }
      DebugChannel.enable("shop.*=trace")
      LogSystem.setLevel(.error, for: "shop")
      #expect(Self.enabled == Self.from(.trace))
      _ = DebugChannel.disable()
      #expect(Self.enabled == Self.from(.error))
    }
  }

  /// A channel switched by hand is that for every channel of its name, whatever the filter says, until it is given back.
  @Test func aChannelIsSwitchedByHandAndGivenBack() async {
    await #expect(processExitsWith: .success) {
      let directory = try Self.start()
      defer { withExtendedLifetime(directory) { LogSystem.stop() } }
      let (channel, same, other) = (DebugChannel("byhand:a"), DebugChannel("byhand:" + "a"), DebugChannel("byhand:b"))
      #expect(!channel.isEnabled)
      channel.isEnabled = true
      #expect(channel.isEnabled && same.isEnabled && !other.isEnabled)
      DebugChannel.enable("-byhand:a")
      #expect(channel.isEnabled)
      same.resetIsEnabled()
      #expect(!channel.isEnabled && !same.isEnabled)
      DebugChannel.enable("byhand:*")
      #expect(channel.isEnabled && other.isEnabled)
      channel.isEnabled = false
      #expect(!channel.isEnabled && !same.isEnabled && other.isEnabled)
      #expect(DebugChannel.disable() == "byhand:*")
      DebugChannel.enable("*")
      #expect(!channel.isEnabled && other.isEnabled)
      channel.resetIsEnabled()
      #expect(channel.isEnabled)
    }
  }

  /// The application's own variable comes before `DEBUG`, if only with nothing in it; one that is not set leaves `DEBUG` alone.
  @Test func theApplicationsOwnVariableComesFirst() async {
    await #expect(processExitsWith: .success) {
      unsafe setenv("DEBUG", "others:*", 1)
      #expect(LogConfiguration.fromEnvironment(debugVariable: "SHOP_DEBUG").debug == "others:*")
      unsafe setenv("SHOP_DEBUG", "shop:*", 1)
      #expect(LogConfiguration.fromEnvironment().debug == "others:*")
      let directory = try TemporaryDirectory()
      var configuration = LogConfiguration.fromEnvironment(debugVariable: "SHOP_DEBUG")
      (configuration.sinks, configuration.directory) = ([.null], directory.path)
      try LogSystem.start(configuration)
      #expect(DebugChannel("shop:db").isEnabled && !DebugChannel("others:db").isEnabled)
      unsafe setenv("SHOP_DEBUG", "", 1)
      #expect(LogConfiguration.fromEnvironment(debugVariable: "SHOP_DEBUG").debug == "")
      LogSystem.stop()
    }
  }

  /// In a forked child, after a stop and a start, and in what follows a stop; a configuration that says something else wins, but for what was done by hand.
  @Test func changesOutliveForkAndRestart() throws {
    let run = try StormRun(["DEBUG": "first"])
    let said = try run.finish("changed").split(separator: "\n").map(String.init)
    #expect(
      said == ["parent", "child", "restarted", "afterwards"].map { "\($0) debug warning on on" }
        + ["other error error off on"])
  }
}
