import TreeRing

private let log = Logger("supervisor")

/// Writes a supervisor's events as records of the logger `supervisor`. Does not block before the last one.
///
/// A worker that logs with TreeRing, and is told to (`TREERING_CRASH=on`, `TREERING_FLIGHT=on`), leaves a black box beside its rings: then the record of its
/// crash also has the thread, its frames and the last debug lines, and comes when they have got their names.
package struct SupervisorLog: SupervisorReporter {
  private let rings: String?
  private let teller = CrashTeller()

  /// - Parameter rings: the directory of the workers' ring files; nil when it is not known.
  package init(rings: String? = nil) { self.rings = rings }

  /// Tells the crashes of an earlier run, whose supervisor died before it could. For a supervisor whose workers run its own program. Blocking.
  package func tellEarlierCrashes() {
    guard let rings else { return }
    for report in CrashReport.takeAll(of: ProcessIdentity.programName(), in: rings) {
      guard let signal = report.signal else { continue }
      log.log(.critical, about: Int32(clamping: report.pid), "worker crashed in an earlier run") {
        $0["signal"] = SignalName.of(signal)
        report.describe(&$0, backtrace: report.backtrace())
      }
    }
  }

  /// Takes what a dead worker left.
  private func report(of exit: WorkerExit) -> CrashReport? {
    rings.flatMap { CrashReport.take(ofProcess: exit.pid, in: $0) }
  }

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
    case .workerExited(let exit):
      // One that had to be killed has left its box.
      _ = report(of: exit)
      log.log(.info, about: exit.pid, "worker exited") { exit.describe(&$0) }
    case .workerCrashed(let exit):
      if let report = report(of: exit) { return teller.tell(exit, report) }
      log.log(.critical, about: exit.pid, "worker crashed") { exit.describe(&$0) }
    case .bootFailed(let exit):
      let report = report(of: exit)
      log.log(.critical, about: exit.pid, "worker cannot run as it is configured") {
        exit.describe(&$0)
        report?.describe(&$0, backtrace: [])
      }
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
    case .stopped(let code):
      teller.finish()
      log.notice("stopped") { $0["exit"] = code }
    }
  }

  private static func text(_ reason: ReloadFailure) -> String {
    switch reason {
    case .died(let status): "the new one died (\(status))"
    case .late: "the new one was late"
    case .notStarted(let code): "the new one could not be started (\(SystemError.text(code)))"
    }
  }
}

extension WorkerExit {
  /// The contract's crash record: the signal's name, or the exit code; how long it was up, and how often it had been restarted.
  func describe(_ fields: inout LogFields) {
    fields["worker"] = worker
    if let signal = status.signalName { fields["signal"] = signal }
    if let code = status.code { fields["exit"] = code }
    fields["uptime"] = uptime
    fields["restarts"] = restarts
  }
}
