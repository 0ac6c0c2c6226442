import TestSupport
import Testing

@testable import TreeRing

/// Gates are found by 16 bits of an address, so names share them; no name may be judged by another's threshold.
struct GateTests {
  /// Names made at run time lie on 16-byte boundaries: 4,096 gates for 4,200 names, so some share one, whatever the allocator does.
  @Test func everyNameIsRightThoughManyShareAGate() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      try LogSystem.start(
        LogConfiguration(
          levels: [.init(prefix: "gate:even", level: .debug)], sinks: [.null], directory: directory.path,
          debug: "gate:even:*"))
      let names = (0..<4200).map { "gate:\($0 % 2 == 0 ? "even" : "odd"):\($0)" }
      let channels = names.map { DebugChannel($0) }
      let loggers = names.map { Logger($0) }
      for _ in 0..<2 {
        for (index, channel) in channels.enumerated() {
          precondition(channel.isEnabled == (index % 2 == 0), channel.name)
          precondition(loggers[index].isEnabled(.debug) == (index % 2 == 0), channel.name)
          precondition(loggers[index].isEnabled(.info), channel.name)
        }
      }
      DebugChannel.enable("gate:odd:*")
      for (index, channel) in channels.enumerated() {
        precondition(channel.isEnabled == (index % 2 == 1), channel.name)
      }
      precondition(DebugChannel.disable() == "gate:odd:*")
      for channel in channels { precondition(!channel.isEnabled, channel.name) }
      LogSystem.stop()
    }
  }
}
