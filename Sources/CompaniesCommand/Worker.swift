import ArgumentParser
import Companies
import Glibc
import ProcessSupervisor
import TreeRing
import TreeRingLogging

/// `companies worker`: one worker, as a supervisor or systemd starts it.
struct Worker: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "One worker: serves on the socket it is handed (LISTEN_FDS), or else on --host and --port.")

  @OptionGroup var place: Place

  func run() async throws {
    let lifeline = WorkerLifeline.start()
    // Before the first record: a crash before it is to be told, too.
    do { try LogSystem.start(.fromEnvironment()) } catch { Syscalls.complain("\(error)") }
    // What the packages say goes where our own records go.
    TreeRingLogging.bootstrap()
    do {
      let configuration = CompaniesConfiguration(
        dataDirectory: place.directory, listening: try listening(), staticFilesDirectory: place.staticFiles,
        variables: variables)
      let application = try Application(configuration: configuration) { _ in lifeline?.ready() }
      try await application.runUntilTerminated()
    } catch let error as StartError {
      throw fail(error, error.isConfigurationError ? .configurationError : .failure)
    } catch let error as ListenError {
      throw fail(error, .configurationError)
    }
  }

  private func listening() throws -> CompaniesConfiguration.Listening {
    guard let socket = try ListeningSocket.adopt() else {
      return .bind(host: place.host, port: Int(place.port))
    }
    return .adopt(fileDescriptor: socket.release())
  }

  private var variables: [String: String] {
    var variables: [String: String] = [:]
    for name in ["APP_ENV", "COMPANIES_CHAOS"] { variables[name] = Syscalls.environment(name) }
    return variables
  }
}
