import CTreeRing
import Glibc

/// Prepares a process to be a worker and turns it into a program that knows nothing of supervisors: for
/// `SupervisorConfiguration.launcher`.
///
/// It sets the parent-death signal, which the program keeps, so that it dies with its supervisor, and `LISTEN_PID`, so
/// that any program that speaks sd_listen_fds(3) finds its socket. The parent-death signal comes when the *thread* that
/// spawned this process ends; that is the thread of `Supervisor.run()`, which returns only when no worker is left.
package enum WorkerLauncher {
  /// Becomes `program`, looked up in PATH unless it holds a slash. Call it before the process has other threads' work
  /// to lose. When the program cannot be executed: one line on stderr, and exit 127 (not found) or 126 (not
  /// executable).
  package static func exec(_ program: String, _ arguments: [String]) -> Never {
    tr_set_parent_death_signal(SIGKILL)
    // The supervisor may have ended before the line above: then its death is not announced any more.
    if let supervisor = WorkerEnvironment.number(WorkerEnvironment.supervisor), supervisor != getppid() {
      fail("the supervisor has gone; '\(program)' is not started", EXIT_FAILURE)
    }
    unsafe withCStrings([program] + arguments) { arguments in
      unsafe withCStrings(environment) { environment in
        _ = unsafe tr_execvpe(program, arguments, environment)
      }
    }
    let code = errno
    let reason = SystemError.text(code)
    fail("cannot run '\(program)': \(reason). Check its path and its permissions", code == ENOENT ? 127 : 126)
  }

  private static var environment: [String] {
    let inherited = WorkerEnvironment.ofThisProcess.filter { !$0.hasPrefix(WorkerEnvironment.listenPID + "=") }
    guard WorkerEnvironment.value(WorkerEnvironment.ownListenDescriptors) != nil else { return inherited }
    return inherited + ["\(WorkerEnvironment.listenPID)=\(getpid())"]
  }

  private static func fail(_ message: String, _ code: Int32) -> Never {
    var line = Array("treering: \(message)\n".utf8)
    // The kernel reads as many bytes as the array has.
    _ = unsafe write(STDERR_FILENO, &line, line.count)
    exit(code)
  }
}
