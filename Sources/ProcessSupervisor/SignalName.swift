/// Names of Linux signals, as `kill -l` and crash reports write them.
package enum SignalName {
  /// `"SIGILL"` for 4; real-time signals by their distance from the first (`"SIGRTMIN+2"`); `"signal 99"` for none.
  package static func of(_ signal: Int32) -> String {
    switch signal {
    case 1...31: standard[Int(signal) - 1]
    case realTimeMinimum...realTimeMaximum:
      signal == realTimeMinimum ? "SIGRTMIN" : "SIGRTMIN+\(signal - realTimeMinimum)"
    default: "signal \(signal)"
    }
  }

  /// What programs see: Glibc keeps the kernel's 32 and 33 for itself.
  private static let realTimeMinimum: Int32 = 34
  private static let realTimeMaximum: Int32 = 64

  /// The numbers of x86-64 and arm64 (signal(7)); other architectures order some of them differently.
  private static let standard = [
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
    "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
    "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
  ]
}
