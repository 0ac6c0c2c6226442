import Glibc

/// Carries out what `SupervisorState` decides, and tells it what happens. Lives on one thread.
struct SupervisorLoop {
  private let supervisor: Supervisor
  private var state: SupervisorState
  private var processes: [WorkerProcess] = []
  private var exitCode: Int32?

  init(_ supervisor: Supervisor) {
    self.supervisor = supervisor
    let configuration = supervisor.configuration
    state = SupervisorState(
      workers: configuration.workers, policy: configuration.restarts, timing: configuration.timing,
      expectsReady: configuration.expectsReady)
  }

  mutating func run() -> Int32 {
    tell(.start)
    while true {
      if let exitCode { return exitCode }
      waitForEvents()
    }
  }

  /// Tells the state, and carries out what follows, until nothing more follows.
  private mutating func tell(_ event: SupervisorState.Event) {
    var actions = state.handle(event, at: MonotonicTime.now)[...]
    while let action = actions.popFirst() {
      guard let answer = perform(action) else { continue }
      actions += state.handle(answer, at: MonotonicTime.now)
    }
  }

  private mutating func perform(_ action: SupervisorState.Action) -> SupervisorState.Event? {
    switch action {
    case .spawn(let worker): return spawn(worker)
    case .signal(let pid, let signal): processes.first { $0.pid == pid }?.signal(signal)
    case .report(let event): supervisor.reporter.report(event)
    case .finish(let code): exitCode = code
    }
    return nil
  }

  private mutating func spawn(_ worker: Int) -> SupervisorState.Event {
    do throws(SystemError) {
      let process = try WorkerProcess.spawn(
        worker: worker, supervisor.configuration, listener: supervisor.listenerNumber)
      processes.append(process)
      return .spawned(worker: worker, pid: process.pid)
    } catch {
      return .spawnFailed(worker: worker, code: error.code)
    }
  }

  /// Sleeps until something happens or is due, then tells it. Ready lines come before ends: both may be there.
  private mutating func waitForEvents() {
    let happened = poll()
    if happened.contains(supervisor.commands.readerNumber) {
      for command in supervisor.commands.receive() { tell(command == .stop ? .stop : .reload) }
    }
    for process in processes {
      if happened.contains(process.lifelineNumber), process.readLifeline() { tell(.ready(pid: process.pid)) }
      if happened.contains(process.end.number) { reap(process) }
    }
    tell(.tick)
  }

  private mutating func reap(_ process: WorkerProcess) {
    guard let status = process.reap() else { return }
    processes.removeAll { $0 === process }
    tell(.exited(pid: process.pid, status))
  }

  /// The descriptors on which something can be read.
  private func poll() -> Set<Int32> {
    let numbers = [supervisor.commands.readerNumber] + processes.flatMap { [$0.end.number, $0.lifelineNumber] }
    var polls = numbers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let timeout = state.deadline.map { ($0 - MonotonicTime.now).pollMilliseconds } ?? -1
    // The kernel reads and writes the array's elements, as many as it has.
    let count = unsafe Glibc.poll(&polls, nfds_t(polls.count), timeout)
    guard count > 0 else { return [] }
    return Set(polls.filter { $0.revents != 0 }.map(\.fd))
  }
}

extension Supervisor {
  var listenerNumber: Int32? {
    switch listener {
    case .some(let listener): listener.descriptor
    case nil: nil
    }
  }
}
