import CTreeRing

/// What to run, how often, and how patiently.
package struct SupervisorConfiguration: Sendable {
  /// The program: a path, or a name looked up in PATH.
  package var program: String
  /// Its arguments, without the program's own name.
  package var arguments: [String]
  /// What the program is told as its own name (argv[0], what `ps` shows); nil: `program`.
  package var programName: String?
  /// Put before program and arguments: a command that prepares the process and then turns into the program
  /// (`WorkerLauncher`). Empty: the program is started directly.
  package var launcher: [String]
  /// How many workers run; at least one.
  package var workers: Int
  /// Added to, or put in place of, what the workers inherit from the supervisor's environment.
  package var environment: [String: String]
  package var restarts: RestartPolicy
  package var timing: SupervisorTiming
  /// Workers say `READY=1` on their lifeline. A rolling restart then waits for it; otherwise for `timing.settling`.
  package var expectsReady: Bool
  /// SIGTERM and SIGINT stop, SIGHUP restarts one by one. One supervisor of a process may handle signals.
  package var handlesSignals: Bool

  package init(
    program: String, arguments: [String] = [], programName: String? = nil, launcher: [String] = [],
    workers: Int = Self.availableCores, environment: [String: String] = [:], restarts: RestartPolicy = RestartPolicy(),
    timing: SupervisorTiming = SupervisorTiming(), expectsReady: Bool = false, handlesSignals: Bool = true
  ) {
    self.program = program
    self.arguments = arguments
    self.programName = programName
    self.launcher = launcher
    self.workers = workers
    self.environment = environment
    self.restarts = restarts
    self.timing = timing
    self.expectsReady = expectsReady
    self.handlesSignals = handlesSignals
  }

  /// The cores this process may use, as `nproc` counts them: the default number of workers.
  package static var availableCores: Int {
    var mask = [UInt](repeating: 0, count: 128)
    // The kernel writes at most the array's size: 8,192 cores.
    guard unsafe tr_core_mask(&mask, mask.count * MemoryLayout<UInt>.size) > 0 else { return 1 }
    return max(1, mask.reduce(0) { $0 + $1.nonzeroBitCount })
  }
}

/// The patience of a supervisor.
package struct SupervisorTiming: Hashable, Sendable {
  /// From SIGTERM to SIGKILL.
  package var grace: Duration
  /// A new worker that says nothing has proved itself in a rolling restart after this long.
  package var settling: Duration
  /// A new worker that is to say `READY=1` is late in a rolling restart after this long.
  package var readiness: Duration
  /// Until this long after its start, or until it is ready, a worker is booting: exit codes that mean "never" count.
  package var boot: Duration
  /// A second stop hurries only this long after the first: `timeout(1)` sends its SIGTERM twice within microseconds.
  package var haste: Duration

  package init(
    grace: Duration = .seconds(10), settling: Duration = .milliseconds(500), readiness: Duration = .seconds(30),
    boot: Duration = .seconds(5), haste: Duration = .milliseconds(250)
  ) {
    self.grace = grace
    self.settling = settling
    self.readiness = readiness
    self.boot = boot
    self.haste = haste
  }
}
