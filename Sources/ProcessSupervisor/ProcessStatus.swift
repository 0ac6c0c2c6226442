/// How a process ended.
package enum ProcessStatus: Hashable, Sendable, CustomStringConvertible {
  case exited(code: Int32)
  case signaled(signal: Int32, coreDumped: Bool)
  /// Somebody else collected the status: a SIGCHLD handler, or a `waitpid(-1)` elsewhere in this process.
  case unknown

  /// The signal's name, or nil for a process that ended by itself.
  package var signalName: String? {
    guard case .signaled(let signal, _) = self else { return nil }
    return SignalName.of(signal)
  }

  /// The exit code, or nil for a process that a signal ended.
  package var code: Int32? {
    guard case .exited(let code) = self else { return nil }
    return code
  }

  package var description: String {
    switch self {
    case .exited(let code): "exit \(code)"
    case .signaled(let signal, let coreDumped): SignalName.of(signal) + (coreDumped ? " (core dumped)" : "")
    case .unknown: "unknown status"
    }
  }
}
