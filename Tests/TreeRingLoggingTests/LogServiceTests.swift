import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import TreeRing
import TreeRingLogging

/// Logging as a service of a group.
@Suite struct LogServiceTests {
  /// Logs at its end, as services do.
  struct Server: Service {
    let logger: Logging.Logger
    let name: String

    func run() async throws {
      logger.info("\(name) runs")
      try? await gracefulShutdown()
      logger.info("\(name) ends")
    }
  }

  /// Ends the group as soon as it runs.
  struct Trigger: Service {
    func run() async throws {}
  }

  private static func run(_ services: [any Service], logger: Logging.Logger) async throws {
    let trigger = ServiceGroupConfiguration.ServiceConfiguration(
      service: Trigger(), successTerminationBehavior: .gracefullyShutdownGroup)
    try await ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services.map { .init(service: $0) } + [trigger], logger: logger)
    ).run()
  }

  private static func messages(_ file: String) throws -> [String] { try JSONRecord.read(file).compactMap(\.msg) }

  /// Starts logging into a file below `directory`.
  private static func start(_ directory: TemporaryDirectory) throws -> String {
    let file = directory.file("records.ndjson")
    try LogSystem.start(LogConfiguration(sinks: [.file(file)], directory: directory.path))
    return file
  }

  @Test func listedFirstItStopsLast() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      let file = try Self.start(directory)
      let logger = Logging.Logger(label: "shop") { TreeRingLogHandler(label: $0) }
      let servers = ["database", "server"].map { Server(logger: logger, name: $0) }
      try await Self.run([LogService()] + servers, logger: logger)
      let messages = try Self.messages(file)
      let ends = messages.filter { $0.hasSuffix("ends") }
      try require(ends == ["server ends", "database ends"], "\(messages)")
      try require(messages.contains("process closed") && messages.last == "ring closed", "\(messages)")
    }
  }

  @Test func aRecordAfterItsEndIsKept() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      let file = try Self.start(directory)
      let logger = Logging.Logger(label: "shop") { TreeRingLogHandler(label: $0) }
      try await Self.run([LogService()], logger: logger)
      let before = try Self.messages(file)
      logger.info("good-bye")
      try require(Self.messages(file) == before, "the stream is closed")
      let kept = try FileManager.default.contentsOfDirectory(atPath: directory.path).contains { name in
        try Data(contentsOf: URL(fileURLWithPath: directory.file(name))).range(of: Data("good-bye".utf8)) != nil
      }
      try require(kept, "the record is in a ring file")
    }
  }

  @Test func itCanLeaveTheStreamOpen() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      let file = try Self.start(directory)
      let logger = Logging.Logger(label: "shop") { TreeRingLogHandler(label: $0) }
      try await Self.run([LogService(.flush), Server(logger: logger, name: "server")], logger: logger)
      var messages = try Self.messages(file)
      try require(messages.contains("server ends") && !messages.contains("process closed"), "\(messages)")
      logger.info("good-bye")
      LogSystem.stop()
      messages = try Self.messages(file)
      try require(messages.contains("good-bye") && messages.contains("process closed"), "\(messages)")
    }
  }

  @Test func aCancelledGroupEndsItToo() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      let file = try Self.start(directory)
      let logger = Logging.Logger(label: "shop") { TreeRingLogHandler(label: $0) }
      logger.info("before")
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await LogService().run() }
        group.cancelAll()
      }
      let messages = try Self.messages(file)
      try require(messages.first == "before" && messages.last == "ring closed", "\(messages)")
    }
  }
}
