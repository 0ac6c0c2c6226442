/// Rolling restart: worker by worker, a new process proves itself beside the old one, then the old one is asked to
/// leave. The listening socket stays open throughout, so no connection is refused.
///
/// A new process that dies or is late ends the whole restart and the old one stays: what is new is worse than what
/// runs. A worker that is pausing after a death is passed over: it comes back as a new process anyway.
extension SupervisorState {
  struct Reload: Hashable, Sendable {
    var waiting: [Int]
    var step: Step?
    /// Asked for again meanwhile: once more after this one, however often.
    var again = false
  }

  enum Step: Hashable, Sendable {
    /// The new process of this worker has to prove itself.
    case replacing(Int)
    /// The old process has to leave before the next worker's turn.
    case retiring(pid: Int32)
  }

  mutating func requestReload(at now: Duration) {
    guard phase == .running else { return }
    guard reload == nil else {
      reload?.again = true
      return
    }
    actions.append(.report(.reloading))
    reload = Reload(waiting: Array(slots.indices))
    replaceNext(at: now)
  }

  /// When the new process is judged; nil: nothing waits for time to pass.
  var reloadDeadline: Duration? {
    guard let place = candidate, let instance = self[place], !instance.askedToStop else { return nil }
    return instance.startedAt + (expectsReady ? timing.readiness : timing.settling)
  }

  /// Judges the new process: it is ready, or old enough where nothing more is asked, or late.
  mutating func settleReplacement(at now: Duration) {
    guard let place = candidate, let instance = self[place], let deadline = reloadDeadline else { return }
    let isDue = deadline <= now
    if instance.readyAt != nil || (isDue && !expectsReady) {
      settle(place, instance, at: now)
    } else if isDue {
      failReload(place.worker, .late, at: now)
    }
  }

  /// The old process has gone: the next worker's turn.
  mutating func retired(_ pid: Int32, at now: Duration) {
    guard reload?.step == .retiring(pid: pid) else { return }
    replaceNext(at: now)
  }

  /// Gives the restart up. The new process goes, the old one stays; without an old one, the new one may go on trying.
  mutating func failReload(_ worker: Int, _ reason: ReloadFailure, at now: Duration) {
    let again = reload?.again ?? false
    reload = nil
    actions.append(.report(.reloadFailed(worker: worker, reason: reason)))
    if let replacement = slots[worker].replacement {
      slots[worker].replacement = nil
      slots[worker].retiring.append(replacement)
      askToStop(replacement.pid, at: now)
    }
    if again { requestReload(at: now) }
  }

  /// The process on trial: the replacement, or the current one when its predecessor has died meanwhile.
  private var candidate: Place? {
    guard case .replacing(let worker) = reload?.step, !slots[worker].isSpawning else { return nil }
    return (slots[worker].replacement ?? slots[worker].current).flatMap { place(of: $0.pid) }
  }

  private mutating func settle(_ place: Place, _ instance: Instance, at now: Duration) {
    let worker = place.worker
    slots[worker].deathsInRow = 0
    guard place.role == .replacement, let old = slots[worker].current else { return replaceNext(at: now) }
    slots[worker].current = instance
    slots[worker].replacement = nil
    slots[worker].retiring.append(old)
    reload?.step = .retiring(pid: old.pid)
    askToStop(old.pid, at: now)
  }

  private mutating func replaceNext(at now: Duration) {
    while let worker = reload?.waiting.first {
      reload?.waiting.removeFirst()
      guard slots[worker].current != nil, !slots[worker].isSpawning else { continue }
      reload?.step = .replacing(worker)
      return spawn(worker)
    }
    endReload(at: now)
  }

  private mutating func endReload(at now: Duration) {
    let again = reload?.again ?? false
    reload = nil
    actions.append(.report(.reloaded))
    if again { requestReload(at: now) }
  }
}
