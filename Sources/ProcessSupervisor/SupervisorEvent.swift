/// What the supervisor tells the world, in the order in which it happens.
package enum SupervisorEvent: Hashable, Sendable {
  /// A worker's process runs. `restarts`: how often this worker had been started before.
  case workerStarted(worker: Int, pid: Int32, restarts: Int)
  /// A worker said `READY=1` on its lifeline, `after` its start.
  case workerReady(worker: Int, pid: Int32, after: Duration)
  /// A worker ended as it should: asked to, or by itself with status 0.
  case workerExited(WorkerExit)
  /// A worker ended as it should not.
  case workerCrashed(WorkerExit)
  /// A worker did not stop within the grace period, or a second stop asked for haste: it gets SIGKILL.
  case workerKilled(worker: Int, pid: Int32)
  /// The system would not start the process. `code` is the errno.
  case spawnFailed(worker: Int, code: Int32)
  /// The next start of this worker waits for `delay`.
  case backingOff(worker: Int, delay: Duration, deathsInRow: Int)
  /// A rolling restart begins, ends, or is given up; when given up the old worker stays.
  case reloading
  case reloaded
  case reloadFailed(worker: Int, reason: ReloadFailure)
  /// One death too many: `deaths` within `period`. Everything stops, with a non-zero exit code.
  case gaveUp(deaths: Int, period: Duration)
  /// A worker says that it can never run like this (its configuration or its arguments are wrong): everything stops.
  /// Told in place of `workerCrashed`.
  case bootFailed(WorkerExit)
  /// Workers are asked to stop; then, that none is left and the supervisor ends with `code`.
  case stopping(workers: Int)
  case stopped(code: Int32)
}

/// The end of one worker process.
package struct WorkerExit: Hashable, Sendable {
  package var worker: Int
  package var pid: Int32
  package var status: ProcessStatus
  package var uptime: Duration
  /// How often this worker had been restarted before this process ended: 0 for the first death.
  package var restarts: Int

  package init(worker: Int, pid: Int32, status: ProcessStatus, uptime: Duration, restarts: Int) {
    self.worker = worker
    self.pid = pid
    self.status = status
    self.uptime = uptime
    self.restarts = restarts
  }
}

/// Why a rolling restart was given up.
package enum ReloadFailure: Hashable, Sendable {
  /// The new worker ended before it was ready.
  case died(ProcessStatus)
  /// The new worker was not ready in time.
  case late
  /// The system would not start the new worker. The errno.
  case notStarted(code: Int32)
}
