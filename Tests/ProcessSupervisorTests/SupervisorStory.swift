import ProcessSupervisor

/// A supervisor's life on paper: events at times in milliseconds, every spawn answered at once with the next pid
/// (101, 102, …), and what was told.
final class SupervisorStory {
  typealias Action = SupervisorState.Action

  var state: SupervisorState
  private(set) var now: Duration = .zero
  private(set) var lastPID: Int32 = 100
  private(set) var live: [Int32] = []
  /// Answers the next spawns with these errors instead.
  var spawnErrors: [Int32] = []

  init(
    workers: Int = 1, policy: RestartPolicy = RestartPolicy(), timing: SupervisorTiming = SupervisorTiming(),
    expectsReady: Bool = false
  ) {
    state = SupervisorState(workers: workers, policy: policy, timing: timing, expectsReady: expectsReady)
  }

  /// Tells an event and returns every action up to the next wait.
  @discardableResult
  func at(_ milliseconds: Int, _ event: SupervisorState.Event) -> [Action] {
    at(.milliseconds(milliseconds), event)
  }

  @discardableResult
  func at(_ time: Duration, _ event: SupervisorState.Event) -> [Action] {
    now = time
    if case .exited(let pid, _) = event { live.removeAll { $0 == pid } }
    var waiting = state.handle(event, at: now)[...]
    var done: [Action] = []
    while let action = waiting.popFirst() {
      done.append(action)
      guard case .spawn(let worker) = action else { continue }
      waiting += state.handle(answer(worker), at: now)
    }
    return done
  }

  private func answer(_ worker: Int) -> SupervisorState.Event {
    guard spawnErrors.isEmpty else { return .spawnFailed(worker: worker, code: spawnErrors.removeFirst()) }
    lastPID += 1
    live.append(lastPID)
    return .spawned(worker: worker, pid: lastPID)
  }
}

extension [SupervisorState.Action] {
  var reports: [SupervisorEvent] { compactMap { if case .report(let event) = $0 { event } else { nil } } }
  var spawns: [Int] { compactMap { if case .spawn(let worker) = $0 { worker } else { nil } } }
  var exitCode: Int32? {
    for case .finish(let code) in self { return code }
    return nil
  }
  /// "15>101": SIGTERM to 101.
  var signals: [String] { compactMap { if case .signal(let pid, let signal) = $0 { "\(signal)>\(pid)" } else { nil } } }
}
