import Glibc

/// The supervisor's mind: events go in with the time, actions come out. It does no I/O and reads no clock, so that
/// every story of a worker's life is a table of values in a test.
///
/// ```
///   worker:  spawning ──► current ── death ──► pausing ──► spawning
///   reload:  spawning ──► replacement ── ready ──► current, and the former current ──► retiring ──► gone
///   all:     running ── stop, one death too many, boot failure ──► stopping ──► finished
/// ```
///
/// - Times are durations since an arbitrary start of a monotonic clock; they never go back.
/// - The caller performs actions in order and answers `.spawn` with `.spawned` or `.spawnFailed` before it waits again.
/// - The caller sleeps until `deadline` at the longest, then sends `.tick`. Late or needless ticks do no harm.
/// - A pid is known from `.spawned` to `.exited`. Events about other pids are ignored.
package struct SupervisorState: Sendable {
  package enum Event: Hashable, Sendable {
    case start
    case spawned(worker: Int, pid: Int32)
    /// `code` is the errno.
    case spawnFailed(worker: Int, code: Int32)
    case ready(pid: Int32)
    case exited(pid: Int32, ProcessStatus)
    /// Somebody wants everything to stop; said again after `timing.haste`, at once.
    case stop
    /// Somebody wants a rolling restart.
    case reload
    case tick
  }

  package enum Action: Hashable, Sendable {
    case spawn(worker: Int)
    case signal(pid: Int32, signal: Int32)
    case report(SupervisorEvent)
    /// Nothing lives any more: end with this exit code. Always the last action.
    case finish(code: Int32)
  }

  /// Errors of `posix_spawn` that another try does not mend, unless the program has run before: then somebody is just
  /// putting a new one in its place.
  private static let hopelessSpawns: Set<Int32> = [
    ENOENT, EACCES, ENOEXEC, ENOTDIR, EISDIR, ELOOP, EPERM, E2BIG, EINVAL,
  ]

  let policy: RestartPolicy
  let timing: SupervisorTiming
  let expectsReady: Bool
  var phase = Phase.running
  var slots: [Slot]
  var reload: Reload?
  private var tally = DeathTally()
  private var hasStarted = false
  /// What the event at hand leads to, collected in order.
  var actions: [Action] = []

  package init(
    workers: Int, policy: RestartPolicy = RestartPolicy(), timing: SupervisorTiming = SupervisorTiming(),
    expectsReady: Bool = false
  ) {
    self.policy = policy
    self.timing = timing
    self.expectsReady = expectsReady
    slots = Array(repeating: Slot(), count: max(1, workers))
  }

  /// Takes one event, and everything that is due by `now`.
  package mutating func handle(_ event: Event, at now: Duration) -> [Action] {
    guard phase != .finished else { return [] }
    take(event, at: now)
    advance(to: now)
    finishWhenEmpty()
    defer { actions = [] }
    return actions
  }

  /// When something is due without an event; nil: never.
  package var deadline: Duration? {
    let pauses = slots.compactMap(\.restartAt)
    let kills = slots.flatMap(\.instances).compactMap(\.killAt)
    return (pauses + kills + [reloadDeadline].compactMap(\.self)).min()
  }

  private mutating func take(_ event: Event, at now: Duration) {
    switch event {
    case .start: for worker in slots.indices { spawn(worker) }
    case .spawned(let worker, let pid): spawned(worker, pid, at: now)
    case .spawnFailed(let worker, let code): spawnFailed(worker, code, at: now)
    case .ready(let pid): ready(pid, at: now)
    case .exited(let pid, let status): exited(pid, status, at: now)
    case .stop: stop(at: now)
    case .reload: requestReload(at: now)
    case .tick: break
    }
  }

  private mutating func advance(to now: Duration) {
    for worker in slots.indices {
      if let restartAt = slots[worker].restartAt, restartAt <= now { restart(worker) }
    }
    settleReplacement(at: now)
    killOverdue(at: now)
  }
}

// MARK: - Births

extension SupervisorState {
  mutating func spawn(_ worker: Int) {
    slots[worker].restartAt = nil
    slots[worker].isSpawning = true
    actions.append(.spawn(worker: worker))
  }

  private mutating func restart(_ worker: Int) {
    slots[worker].restarts += 1
    spawn(worker)
  }

  private mutating func spawned(_ worker: Int, _ pid: Int32, at now: Duration) {
    slots[worker].isSpawning = false
    hasStarted = true
    let instance = Instance(pid: pid, startedAt: now)
    actions.append(.report(.workerStarted(worker: worker, pid: pid, restarts: slots[worker].restarts)))
    guard phase == .running else {
      slots[worker].retiring.append(instance)
      return askToStop(pid, at: now)
    }
    if slots[worker].current == nil {
      slots[worker].current = instance
    } else {
      slots[worker].replacement = instance
    }
  }

  private mutating func spawnFailed(_ worker: Int, _ code: Int32, at now: Duration) {
    slots[worker].isSpawning = false
    guard phase == .running else { return }
    actions.append(.report(.spawnFailed(worker: worker, code: code)))
    if slots[worker].current != nil { return failReload(worker, .notStarted(code: code), at: now) }
    if !hasStarted, Self.hopelessSpawns.contains(code) { return beginStopping(code: EX_CONFIG, at: now) }
    slots[worker].deathsInRow += 1
    mourn(worker, at: now)
  }

  private mutating func ready(_ pid: Int32, at now: Duration) {
    guard let place = place(of: pid), var instance = self[place], instance.readyAt == nil else { return }
    instance.readyAt = now
    self[place] = instance
    actions.append(.report(.workerReady(worker: place.worker, pid: pid, after: now - instance.startedAt)))
  }
}

// MARK: - Deaths

extension SupervisorState {
  private mutating func exited(_ pid: Int32, _ status: ProcessStatus, at now: Duration) {
    guard let place = place(of: pid), let instance = self[place] else { return }
    self[place] = nil
    let exit = WorkerExit(
      worker: place.worker, pid: pid, status: status, uptime: now - instance.startedAt,
      restarts: slots[place.worker].restarts)
    if let code = bootFailure(instance, place.role, exit) {
      actions.append(.report(.bootFailed(exit)))
      return beginStopping(code: code, at: now)
    }
    actions.append(.report(instance.isExpected(status) ? .workerExited(exit) : .workerCrashed(exit)))
    guard phase == .running else { return }
    switch place.role {
    case .current: currentDied(exit, at: now)
    case .replacement: failReload(place.worker, .died(status), at: now)
    case .retiring: retired(pid, at: now)
    }
  }

  /// The supervisor's exit code when this death says that no restart will ever help. Wrong usage and a configuration
  /// error stay themselves. "Not executable" and "not found", from a shell or a launcher, are an error of the
  /// supervisor's configuration, but only the first time: later, somebody is just putting a new program in its place.
  private func bootFailure(_ instance: Instance, _ role: Role, _ exit: WorkerExit) -> Int32? {
    guard phase == .running, role == .current, instance.readyAt == nil, exit.uptime < timing.boot else { return nil }
    switch exit.status.code {
    case EX_USAGE: return EX_USAGE
    case EX_CONFIG: return EX_CONFIG
    case 126, 127: return exit.restarts == 0 ? EX_CONFIG : nil
    default: return nil
    }
  }

  private mutating func currentDied(_ exit: WorkerExit, at now: Duration) {
    let worker = exit.worker
    slots[worker].deathsInRow = exit.uptime >= policy.resetAfter ? 1 : slots[worker].deathsInRow + 1
    if let replacement = slots[worker].replacement {
      slots[worker].current = replacement
      slots[worker].replacement = nil
    } else if reload?.step == .replacing(worker) {
      failReload(worker, .died(exit.status), at: now)
    }
    mourn(worker, at: now)
  }

  /// Counts a death, and brings the worker back unless it was one too many.
  private mutating func mourn(_ worker: Int, at now: Duration) {
    if tally.record(at: now, policy) {
      actions.append(.report(.gaveUp(deaths: tally.count, period: policy.period)))
      return beginStopping(code: EXIT_FAILURE, at: now)
    }
    guard slots[worker].current == nil, !slots[worker].isSpawning else { return }
    let delay = policy.delay(deathsInRow: slots[worker].deathsInRow)
    guard delay > .zero else { return restart(worker) }
    slots[worker].restartAt = now + delay
    actions.append(
      .report(.backingOff(worker: worker, delay: delay, deathsInRow: slots[worker].deathsInRow)))
  }
}

// MARK: - Stopping

extension SupervisorState {
  private mutating func stop(at now: Duration) {
    guard case .stopping(let code, let askedAt) = phase else {
      return beginStopping(code: EXIT_SUCCESS, askedAt: now, at: now)
    }
    guard let askedAt else {
      phase = .stopping(code: code, askedAt: now)
      return
    }
    guard now - askedAt >= timing.haste else { return }
    for instance in slots.flatMap(\.instances) { hurry(instance.pid, at: now) }
  }

  private mutating func beginStopping(code: Int32, askedAt: Duration? = nil, at now: Duration) {
    phase = .stopping(code: code, askedAt: askedAt)
    reload = nil
    for worker in slots.indices { slots[worker].restartAt = nil }
    let instances = slots.flatMap(\.instances)
    actions.append(.report(.stopping(workers: instances.count)))
    for instance in instances { askToStop(instance.pid, at: now) }
  }

  /// SIGTERM, once; SIGKILL follows after the grace period.
  mutating func askToStop(_ pid: Int32, at now: Duration) {
    guard let place = place(of: pid), var instance = self[place], !instance.askedToStop else { return }
    instance.askedToStop = true
    instance.killAt = now + timing.grace
    self[place] = instance
    actions.append(.signal(pid: pid, signal: SIGTERM))
  }

  private mutating func hurry(_ pid: Int32, at now: Duration) {
    guard let place = place(of: pid), self[place]?.killed == false else { return }
    self[place]?.killAt = now
  }

  private mutating func killOverdue(at now: Duration) {
    for instance in slots.flatMap(\.instances) {
      guard let killAt = instance.killAt, killAt <= now, let place = place(of: instance.pid) else { continue }
      self[place]?.killAt = nil
      self[place]?.killed = true
      actions.append(.report(.workerKilled(worker: place.worker, pid: instance.pid)))
      actions.append(.signal(pid: instance.pid, signal: SIGKILL))
    }
  }

  private mutating func finishWhenEmpty() {
    guard case .stopping(let code, _) = phase else { return }
    guard slots.allSatisfy({ $0.instances.isEmpty && !$0.isSpawning }) else { return }
    phase = .finished
    actions.append(.report(.stopped(code: code)))
    actions.append(.finish(code: code))
  }
}
