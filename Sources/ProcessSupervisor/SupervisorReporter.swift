/// Where a supervisor's events go: a log, a status page, a test.
package protocol SupervisorReporter: Sendable {
  /// Called on the thread of `Supervisor.run()`, one event at a time. A restart waits for it to return: do not block.
  func report(_ event: SupervisorEvent)
}

/// Several reporters as one, in order.
package struct SupervisorReporters: SupervisorReporter {
  private let reporters: [any SupervisorReporter]

  package init(_ reporters: any SupervisorReporter...) { self.reporters = reporters }

  package func report(_ event: SupervisorEvent) {
    for reporter in reporters { reporter.report(event) }
  }
}
