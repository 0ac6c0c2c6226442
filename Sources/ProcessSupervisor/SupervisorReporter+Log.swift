import TreeRing

private let log = Logger("supervisor")

/// Writes a supervisor's events as records of the logger `supervisor`. Does not block.
package struct SupervisorLog: SupervisorReporter {
  package init() {}

  package func report(_ event: SupervisorEvent) {
    switch event {
    case .workerStarted(let worker, let pid, let restarts):
      log.log(.info, about: pid, "worker started") {
        $0["worker"] = worker
        $0["restarts"] = restarts
      }
    case .workerReady(let worker, let pid, let after):
      log.log(.info, about: pid, "worker ready") {
        $0["worker"] = worker
        $0["after"] = after
      }
    case .workerExited(let exit): log.log(.info, about: exit.pid, "worker exited") { Self.describe(&$0, exit) }
    case .workerCrashed(let exit): log.log(.critical, about: exit.pid, "worker crashed") { Self.describe(&$0, exit) }
    case .bootFailed(let exit):
      log.log(.critical, about: exit.pid, "worker cannot run as it is configured") { Self.describe(&$0, exit) }
    case .workerKilled(let worker, let pid):
      log.log(.warning, about: pid, "worker did not stop in time, killed") { $0["worker"] = worker }
    case .spawnFailed(let worker, let code):
      log.error("worker not started: \(SystemError.text(code))") {
        $0["worker"] = worker
        $0["errno"] = code
      }
    case .backingOff(let worker, let delay, let deaths):
      log.warning("waiting before the next start of the worker") {
        $0["worker"] = worker
        $0["delay"] = delay
        $0["deaths"] = deaths
      }
    case .gaveUp(let deaths, let period):
      log.critical("too many deaths: giving up") {
        $0["deaths"] = deaths
        $0["period"] = period
      }
    case .reloading: log.notice("rolling restart begins")
    case .reloaded: log.notice("rolling restart done")
    case .reloadFailed(let worker, let reason):
      log.error("rolling restart given up, the old worker stays: \(Self.text(reason))") { $0["worker"] = worker }
    case .stopping(let workers): log.notice("stopping") { $0["workers"] = workers }
    case .stopped(let code): log.notice("stopped") { $0["exit"] = code }
    }
  }

  /// The contract's crash record: the signal's name, or the exit code; how long it was up, and how often it had been restarted.
  private static func describe(_ fields: inout LogFields, _ exit: WorkerExit) {
    fields["worker"] = exit.worker
    if let signal = exit.status.signalName { fields["signal"] = signal }
    if let code = exit.status.code { fields["exit"] = code }
    fields["uptime"] = exit.uptime
    fields["restarts"] = exit.restarts
  }

  private static func text(_ reason: ReloadFailure) -> String {
    switch reason {
    case .died(let status): "the new one died (\(status))"
    case .late: "the new one was late"
    case .notStarted(let code): "the new one could not be started (\(SystemError.text(code)))"
    }
  }
}
