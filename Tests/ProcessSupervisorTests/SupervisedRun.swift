import Foundation
import Glibc
import ProcessSupervisor

/// A real supervisor on a thread of its own, with what it has told so far.
final class SupervisedRun: Sendable {
  let supervisor: Supervisor
  let recorder = EventRecorder()

  init(_ configuration: SupervisorConfiguration, listener: consuming ListeningSocket? = nil) throws {
    let supervisor = try Supervisor(configuration, listener: listener, reporter: recorder)
    self.supervisor = supervisor
    let thread = Thread { [recorder] in
      recorder.begin()
      recorder.end(with: supervisor.run())
    }
    thread.start()
  }

  /// Whatever a test did not live to see, no process of it stays.
  deinit {
    supervisor.requestStop()
    _ = recorder.exitCode(within: 60)
  }

  func stop() -> Int32? {
    supervisor.requestStop()
    return recorder.exitCode(within: 60)
  }
}

/// Keeps events and wakes whoever waits for one.
final class EventRecorder: SupervisorReporter, @unchecked Sendable {  // everything behind `changed`
  private let changed = NSCondition()
  private var events: [SupervisorEvent] = []
  private var code: Int32?
  private var clock: clockid_t = 0

  /// Remembers the processor clock of the calling thread.
  func begin() {
    var clock: clockid_t = 0
    unsafe pthread_getcpuclockid(pthread_self(), &clock)
    let began = clock
    change { self.clock = began }
  }

  /// What the supervisor's thread has used so far.
  func processorTime() -> Duration {
    var time = timespec()
    unsafe clock_gettime(changed.withLock { clock }, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  func report(_ event: SupervisorEvent) { change { events.append(event) } }

  func end(with code: Int32) { change { self.code = code } }

  var all: [SupervisorEvent] { changed.withLock { events } }

  /// The first `count` events that `pick` picks, as soon as there are so many; fewer when time is up.
  func wait<Found>(_ count: Int = 1, within seconds: Double = 60, _ pick: (SupervisorEvent) -> Found?) -> [Found] {
    wait(within: seconds) {
      let found = events.compactMap(pick)
      return found.count >= count ? Array(found.prefix(count)) : nil
    } ?? all.compactMap(pick)
  }

  func exitCode(within seconds: Double) -> Int32? { wait(within: seconds) { code } }

  private func change(_ body: () -> Void) {
    changed.withLock {
      body()
      changed.broadcast()
    }
  }

  private func wait<Found>(within seconds: Double, _ look: () -> Found?) -> Found? {
    let end = Date(timeIntervalSinceNow: seconds)
    return changed.withLock {
      while true {
        if let found = look() { return found }
        if !changed.wait(until: end) { return look() }
      }
    }
  }
}

extension SupervisorEvent {
  var started: Int32? { if case .workerStarted(_, let pid, _) = self { pid } else { nil } }
  var ready: Int32? { if case .workerReady(_, let pid, _) = self { pid } else { nil } }
  var crashed: WorkerExit? { if case .workerCrashed(let exit) = self { exit } else { nil } }
  var exited: WorkerExit? { if case .workerExited(let exit) = self { exit } else { nil } }
  var killed: Int32? { if case .workerKilled(_, let pid) = self { pid } else { nil } }
}

/// A folder that goes with its owner.
final class Folder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("supervisor-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func text(_ name: String) -> String? { try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
}

extension SupervisorConfiguration {
  /// Workers that are a line of shell. `$DIR` is the folder; `exec` in the script leaves nothing behind on SIGTERM.
  static func shell(
    _ script: String, in folder: Folder, workers: Int = 1, restarts: RestartPolicy = RestartPolicy(),
    timing: SupervisorTiming = SupervisorTiming(), expectsReady: Bool = false
  ) -> SupervisorConfiguration {
    SupervisorConfiguration(
      program: "/bin/sh", arguments: ["-c", script], workers: workers, environment: ["DIR": folder.path],
      restarts: restarts, timing: timing, expectsReady: expectsReady, handlesSignals: false)
  }
}

/// Looks again and again until `look` finds something or time is up.
func eventually<Found>(within seconds: Double = 60, _ look: () -> Found?) async throws -> Found? {
  let end = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < end {
    if let found = look() { return found }
    try await Task.sleep(for: .milliseconds(5))
  }
  return look()
}

/// Whether a process runs. One that has ended and waits to be collected does not.
func isRunning(_ pid: Int32) -> Bool {
  guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
  let state = status[(status.lastIndex(of: ")") ?? status.startIndex)...].dropFirst(2).first
  return state != "Z" && state != "X"
}
