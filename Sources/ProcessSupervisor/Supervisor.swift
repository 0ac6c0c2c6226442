import Glibc

/// Keeps a number of worker processes running: starts them with one shared listening socket, notices how each of them
/// ends, starts them anew by `RestartPolicy`, restarts them one by one on SIGHUP, and stops them on SIGTERM or SIGINT.
///
/// ```swift
/// let listener = try ListeningSocket.bind("127.0.0.1:8080")
/// let supervisor = try Supervisor(
///   SupervisorConfiguration(program: "shop", arguments: ["worker"]), listener: listener, reporter: log)
/// exit(supervisor.run())
/// ```
///
/// **What holds.** A connection is never refused as long as the supervisor lives: the listening socket is its own. A
/// worker's death touches the requests in flight on that worker only. No worker that watches its lifeline outlives the
/// supervisor, however that one ends. What is decided, and when, is `SupervisorState`; here it is only carried out.
package final class Supervisor: Sendable {
  let configuration: SupervisorConfiguration
  let reporter: any SupervisorReporter
  let listener: ListeningSocket?
  let commands: CommandPipe

  /// Starts nothing yet. Fails when the process has no descriptor left.
  package init(
    _ configuration: SupervisorConfiguration, listener: consuming ListeningSocket? = nil,
    reporter: any SupervisorReporter
  ) throws(ListenError) {
    do {
      commands = try CommandPipe()
    } catch {
      throw ListenError.system(error.description)
    }
    self.configuration = configuration
    self.listener = listener
    self.reporter = reporter
  }

  /// Runs until the workers have stopped for good, and returns the exit code for the process: 0 after a stop that was
  /// asked for, 1 after one death too many, 64 or 78 when a worker cannot run as it is configured.
  ///
  /// Blocks the calling thread, which is the one that starts the workers; call it once. It sleeps in poll(2) and wakes
  /// only for an event or a deadline. SIGCHLD, if it is ignored, gets its default action: ignored, it would swallow the
  /// workers' exit statuses.
  package func run() -> Int32 {
    Self.keepExitStatuses()
    guard configuration.handlesSignals else { return loop() }
    let relay = SignalRelay(to: commands)
    let code = loop()
    _ = consume relay
    return code
  }

  /// Asks for a graceful stop, as SIGTERM does; asked again later, for an immediate one. From any thread; does not
  /// block.
  package func requestStop() { commands.send(.stop) }

  /// Asks for a rolling restart, as SIGHUP does. From any thread; does not block.
  package func requestReload() { commands.send(.reload) }

  private func loop() -> Int32 {
    var loop = SupervisorLoop(self)
    return loop.run()
  }

  private static func keepExitStatuses() {
    var action = sigaction()
    unsafe sigaction(SIGCHLD, nil, &action)
    // SIG_IGN is the pointer of value 1: compared, never called.
    let handler = unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    if handler == 1 { _ = signal(SIGCHLD, SIG_DFL) }
  }
}
