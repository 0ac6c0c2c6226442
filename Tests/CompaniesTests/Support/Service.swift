import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import Companies

/// Collects records, for tests to look at.
final class Records<Record: Sendable>: Sendable {
  private let records = Mutex<[Record]>([])

  var all: [Record] { records.withLock { $0 } }

  @Sendable func add(_ record: Record) { records.withLock { $0.append(record) } }

  /// The records, once there are `count` of them: the last one is written a moment after the client has its answer.
  func waitFor(_ count: Int) async throws -> [Record] {
    try await waitUntil { all.count >= count }
    return all
  }
}

/// Looks again and again until `condition` holds. One that does not hold within a minute is a failure, and is thrown.
func waitUntil(
  _ condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
  let end = ContinuousClock.now + .seconds(60)
  while !condition() {
    guard ContinuousClock.now < end else { throw NeverSo(sourceLocation: sourceLocation) }
    try await Task.sleep(for: .milliseconds(5))
  }
}

/// What a test waited for has not come.
struct NeverSo: Error {
  let sourceLocation: SourceLocation
}

/// A folder that is gone after the test.
final class TemporaryDirectory: Sendable {
  let path = NSTemporaryDirectory() + "companies-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
  }
}

/// A running service on a free port.
struct RunningService: Sendable {
  let port: Int
  let access: Records<AccessRecord>
  let errors: Records<ErrorRecord>
  /// Begins a graceful shutdown, as SIGTERM does.
  let stop: @Sendable () -> Void

  /// Runs blocking client code on a thread.
  func client<Value: Sendable>(_ body: @escaping @Sendable (RawClient) throws -> Value) async throws -> Value {
    try await onThread { [port] in try body(RawClient(port: port)) }
  }

  /// One request on a connection of its own.
  func request(
    _ method: String, _ target: String, headers: [String] = [], body: String? = nil
  ) async throws -> RawClient.Response {
    try await client { try $0.exchange(method, target, headers: headers, body: body) }
  }
}

/// Starts a service, runs `body`, and stops it. The service has stopped, or failed, when this returns.
///
/// An idle connection ends soon when the service stops; everything else has more time than any machine stands still.
func withService(
  _ change: (inout CompaniesConfiguration) -> Void = { _ in }, variables: [String: String] = [:],
  access: Records<AccessRecord> = Records(), _ body: @Sendable (RunningService) async throws -> Void
) async throws {
  let directory = try TemporaryDirectory()
  var configuration = CompaniesConfiguration(
    dataDirectory: directory.path, listening: .bind(host: "127.0.0.1", port: 0), variables: variables)
  configuration.drain.idle = .milliseconds(100)
  configuration.drain.deadline = .seconds(60)
  configuration.limits.lingering = .seconds(60)
  change(&configuration)
  let errors = Records<ErrorRecord>()
  let (ports, port) = AsyncStream.makeStream(of: Int.self)
  let application = try Application(
    configuration: configuration, accessLog: AccessLog(access.add), errorLog: ErrorLog(errors.add),
    onListening: { port.yield($0) })
  let group = ServiceGroup(
    configuration: .init(
      services: [.init(service: application, successTerminationBehavior: .gracefullyShutdownGroup)],
      logger: Logging.Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
  let (stops, stop) = AsyncStream.makeStream(of: Void.self)
  try await withThrowingTaskGroup { tasks in
    tasks.addTask {
      defer { port.finish() }
      try await group.run()
    }
    tasks.addTask { for await _ in stops { await group.triggerGracefulShutdown() } }
    defer { stop.finish() }
    if let listening = await ports.first(where: { _ in true }) {
      try await body(RunningService(port: listening, access: access, errors: errors, stop: { stop.yield() }))
    }
    stop.yield()
    stop.finish()
    try await tasks.waitForAll()
  }
  withExtendedLifetime(directory) {}
}

/// The members of a JSON object.
func json(_ text: String) throws -> [String: Any] {
  try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}
