import ArgumentParser
import Glibc
import ProcessSupervisor
import TreeRing

/// `treering supervise`: a process manager for any program.
struct Supervise: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run N workers of a program and keep them running.",
    discussion: """
      The workers share one listening socket (LISTEN_FDS). A crash is logged with its signal; the first restart comes at once, then with growing \
      pauses. SIGHUP restarts one by one, SIGTERM stops gracefully. No worker outlives the supervisor.

        treering supervise --workers 4 --listen 127.0.0.1:8080 -- ./server --verbose
      """)

  @Option(help: "Worker processes. Default: one per core.")
  var workers: Int = SupervisorConfiguration.availableCores

  @Option(help: "HOST:PORT to listen on for the workers.")
  var listen: String?

  @Option(name: .customLong("max-restarts"), help: "Deaths that are borne, as N/SECONDS.")
  var maxRestarts = "10/10"

  @Argument(parsing: .postTerminator, help: "The program and its arguments.")
  var command: [String]

  func validate() throws {
    guard (1...4096).contains(workers) else {
      throw ValidationError("--workers must be from 1 to 4096, not \(workers)")
    }
    guard !command.isEmpty else {
      throw ValidationError("name the program after --, for instance: -- ./server --verbose")
    }
    _ = try restarts()
  }

  private func restarts() throws -> RestartPolicy {
    let parts = maxRestarts.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let limit = parts[0], let seconds = parts[1], limit >= 0, seconds > 0 else {
      throw ValidationError("--max-restarts must be N/SECONDS, such as 10/10, not '\(maxRestarts)'")
    }
    return RestartPolicy(limit: limit, period: .seconds(seconds))
  }

  func run() throws {
    let configuration = SupervisorConfiguration(
      program: command[0], arguments: Array(command.dropFirst()), launcher: ["/proc/self/exe", "exec-worker", "--"],
      workers: workers, environment: environment, restarts: try restarts())
    let code: Int32
    do {
      code = try Supervisor(
        configuration, listener: try socket(), reporter: SupervisorLog(rings: RingDirectory.configured())
      ).run()
    } catch {
      Console.complain("\(error)")
      if case .invalidAddress? = error as? ListenError { throw ExitCode(EX_USAGE) }
      throw ExitCode.failure
    }
    if code != 0 { throw ExitCode(code) }
  }

  /// Workers that log with TreeRing write their crashes down, unless somebody has decided that already.
  private var environment: [String: String] {
    Syscalls.environment("TREERING_CRASH") == nil ? ["TREERING_CRASH": "on"] : [:]
  }

  private func socket() throws -> ListeningSocket? {
    guard let listen else { return nil }
    return try ListeningSocket.bind(listen)
  }
}

/// Becomes a worker's program; see `WorkerLauncher`.
struct ExecWorker: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "exec-worker", shouldDisplay: false)

  @Argument(parsing: .postTerminator)
  var command: [String]

  func run() throws {
    guard let program = command.first else { throw ValidationError("name the program") }
    WorkerLauncher.exec(program, Array(command.dropFirst()))
  }
}
