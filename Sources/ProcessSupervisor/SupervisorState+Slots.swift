import Glibc

/// Who lives, and in which role.
extension SupervisorState {
  enum Phase: Hashable, Sendable {
    case running
    /// `askedAt`: when somebody outside asked for it; nil as long as the supervisor's own judgement is the only reason.
    case stopping(code: Int32, askedAt: Duration?)
    case finished
  }

  /// One process.
  struct Instance: Hashable, Sendable {
    let pid: Int32
    let startedAt: Duration
    var readyAt: Duration?
    /// SIGTERM has been sent.
    var askedToStop = false
    /// SIGKILL is due then.
    var killAt: Duration?
    /// SIGKILL has been sent.
    var killed = false

    /// Whether this is an end as it should be. One that was asked to stop may answer with any exit code.
    func isExpected(_ status: ProcessStatus) -> Bool {
      switch status {
      case .exited(let code): askedToStop || code == EXIT_SUCCESS
      case .signaled(SIGKILL, _): killed
      case .signaled(SIGTERM, _): askedToStop
      case .signaled: false
      case .unknown: askedToStop
      }
    }
  }

  /// One worker: the number stays, processes come and go.
  struct Slot: Hashable, Sendable {
    var current: Instance?
    /// Proves itself beside `current` during a rolling restart.
    var replacement: Instance?
    /// Asked to leave, not gone yet.
    var retiring: [Instance] = []
    var isSpawning = false
    /// The pause after a death ends then.
    var restartAt: Duration?
    var deathsInRow = 0
    var restarts = 0

    var instances: [Instance] { [current, replacement].compactMap(\.self) + retiring }
  }

  enum Role: Hashable, Sendable {
    case current, replacement, retiring
  }

  struct Place: Hashable, Sendable {
    let worker: Int
    let role: Role
    let pid: Int32
  }

  func place(of pid: Int32) -> Place? {
    for (worker, slot) in slots.enumerated() {
      if slot.current?.pid == pid { return Place(worker: worker, role: .current, pid: pid) }
      if slot.replacement?.pid == pid { return Place(worker: worker, role: .replacement, pid: pid) }
      if slot.retiring.contains(where: { $0.pid == pid }) { return Place(worker: worker, role: .retiring, pid: pid) }
    }
    return nil
  }

  /// The process at a place; setting nil removes it.
  subscript(place: Place) -> Instance? {
    get {
      switch place.role {
      case .current: slots[place.worker].current
      case .replacement: slots[place.worker].replacement
      case .retiring: slots[place.worker].retiring.first { $0.pid == place.pid }
      }
    }
    set {
      switch place.role {
      case .current: slots[place.worker].current = newValue
      case .replacement: slots[place.worker].replacement = newValue
      case .retiring:
        guard let index = slots[place.worker].retiring.firstIndex(where: { $0.pid == place.pid }) else { return }
        slots[place.worker].retiring.replaceSubrange(index...index, with: [newValue].compactMap(\.self))
      }
    }
  }
}
