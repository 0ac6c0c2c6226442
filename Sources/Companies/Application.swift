import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// The HTTP service of one worker process.
///
/// ```swift
/// let application = try Application(configuration: configuration)
/// try await application.runUntilTerminated()
/// ```
package struct Application: Service {
  private let configuration: CompaniesConfiguration
  private let store: Store
  private let edge: Edge
  private let onListening: @Sendable (Int) async -> Void

  /// Opens the store and builds the routes. Blocks: reads files, and fills a new store.
  /// - Parameter onListening: Called once, with the port, when connections are accepted.
  /// - Throws: ``StartError``.
  package init(
    configuration: CompaniesConfiguration, accessLog: AccessLog = .standard, errorLog: ErrorLog = .standard,
    onListening: @escaping @Sendable (Int) async -> Void = { _ in }
  ) throws(StartError) {
    let readiness = Readiness()
    let files = try StaticFiles(directory: configuration.staticFilesDirectory, logger: Self.logger)
    let store = try Store(directory: configuration.dataDirectory)
    let router = Router.companies(
      configuration, store: store, files: files, readiness: readiness, errorLog: errorLog)
    self.configuration = configuration
    self.store = store
    self.onListening = onListening
    edge = Edge(
      configuration: configuration, readiness: readiness, accessLog: accessLog, logger: Self.logger,
      respond: Responder(
        router: router.buildResponder(), errorLog: errorLog,
        isDebugAllowed: configuration.environment == .development, logger: Self.logger
      ).respond)
  }

  /// Makes the data directory and the store in it, and fills the store, where they are missing, and looks whether the
  /// static files are there. For a supervisor: its workers find it done, and what is wrong is told once. Blocks.
  /// - Throws: ``StartError``.
  package static func prepare(dataDirectory: String, staticFilesDirectory: String?) throws {
    _ = try StaticFiles(directory: staticFilesDirectory, logger: logger)
    try Store(directory: dataDirectory).close()
  }

  /// Serves until a graceful shutdown or a cancellation, and returns when every connection is gone: at the latest after
  /// the steps of ``DrainPolicy`` and one ``EdgeLimits/lingering``. For a service group; it handles no signal itself.
  /// - Throws: ``StartError`` when it cannot listen.
  package func run() async throws {
    let loops = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await edge.run(on: loops, onListening: onListening))
    } catch {
      outcome = .failure(error)
    }
    try await loops.shutdownGracefully()
    try store.close()
    try outcome.get()
  }

  /// ``run()`` in a service group of its own, which SIGTERM and SIGINT end gracefully.
  package func runUntilTerminated() async throws {
    let configuration = ServiceGroupConfiguration(
      services: [.init(service: self, successTerminationBehavior: .gracefullyShutdownGroup)],
      gracefulShutdownSignals: [.sigterm, .sigint], logger: Self.logger)
    try await ServiceGroup(configuration: configuration).run()
  }

  /// The packages' own logger, silent: what there is to say about a request or a failure is in our records.
  private static let logger = Logging.Logger(label: "companies") { _ in SwiftLogNoOpLogHandler() }
}
