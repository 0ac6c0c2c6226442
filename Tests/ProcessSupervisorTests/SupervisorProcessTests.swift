import Foundation
import Glibc
import ProcessSupervisor
import Synchronization
import TestSupport
import Testing

/// What needs a process of its own: signals to the supervisor, its sudden death, a worker's side of things.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SupervisorProcessTests {
  @Test(arguments: [SIGTERM, SIGINT]) func signalsStopIt(signal: Int32) async throws {
    await #expect(processExitsWith: .exitCode(0)) { [signal] in
      let folder = try Folder()
      var configuration = SupervisorConfiguration.shell("exec sleep 60", in: folder, workers: 2)
      configuration.handlesSignals = true
      exit(try Supervisor(configuration, reporter: When.started(2) { kill(getpid(), signal) }).run())
    }
  }

  @Test func aHangupRestartsWorkersOneByOne() async throws {
    await #expect(processExitsWith: .exitCode(0)) {
      let folder = try Folder()
      var configuration = SupervisorConfiguration.shell(
        "exec sleep 60", in: folder, workers: 2, timing: SupervisorTiming(settling: .milliseconds(20)))
      configuration.handlesSignals = true
      let first = When.started(2) { kill(getpid(), SIGHUP) }
      let reloaded = When.reloaded { kill(getpid(), SIGTERM) }
      let started = When.started(4) {}
      let code = try Supervisor(configuration, reporter: SupervisorReporters(first, reloaded, started)).run()
      exit(started.isDone ? code : 99)
    }
  }

  /// As on a thread of Dispatch or of a Task. The signal is for that thread alone, so nothing else can take it.
  @Test func aThreadThatBlocksSignalsStillGetsThem() async throws {
    await #expect(processExitsWith: .exitCode(0)) {
      let folder = try Folder()
      var configuration = SupervisorConfiguration.shell("exec sleep 60", in: folder)
      configuration.handlesSignals = true
      let reporter = When.started(1) { pthread_kill(pthread_self(), SIGTERM) }
      let supervisor = try Supervisor(configuration, reporter: reporter)
      let thread = Thread {
        blockAllSignals()
        exit(supervisor.run())
      }
      thread.start()
      sleep(20)
      exit(99)
    }
  }

  /// The workers here watch the lifeline in shell; `WorkerLifeline` itself is tried below.
  @Test func noWorkerOutlivesAKilledSupervisor() async throws {
    let folder = try Folder()
    let path = folder.path
    let clock = StillClock()
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      var configuration = SupervisorConfiguration(
        program: "/bin/sh", arguments: ["-c", "echo $$ > $DIR/$TREERING_WORKER; echo READY >&4; read x <&4"],
        workers: 2, environment: ["DIR": path])
      configuration.handlesSignals = false
      exit(try Supervisor(configuration, reporter: When.ready(2) { kill(getpid(), SIGKILL) }).run())
    }
    let killed = StillClock.now()
    let pids = [0, 1].compactMap { folder.text("\($0)").flatMap { Int32($0.dropLast()) } }
    #expect(pids.count == 2)
    let gone = try await eventually { pids.contains(where: isRunning) ? nil : StillClock.now() }
    #expect(clock.running(from: killed, to: try #require(gone)) < 1)
  }

  @Test func aHangingWorkerEndsWithItsLifeline() async throws {
    await #expect(processExitsWith: .exitCode(1)) {
      let ends = streamPair()
      environment("TREERING_LIFELINE_FD", "\(ends[0])")
      environment("TREERING_WORKER", "7")
      guard let lifeline = WorkerLifeline.start(), lifeline.worker == 7 else { exit(97) }
      lifeline.ready()
      guard receive(ends[1]) == "READY=1\n" else { exit(98) }
      close(ends[1])
      // A loop that hangs: nothing here will ever look at the lifeline.
      let end = ContinuousClock.now + .seconds(20)
      while ContinuousClock.now < end {}
      exit(99)
    }
  }

  @Test func withoutASupervisorThereIsNoLifeline() async throws {
    await #expect(processExitsWith: .exitCode(0)) {
      environment("TREERING_LIFELINE_FD", nil)
      guard WorkerLifeline.start() == nil else { exit(99) }
      environment("TREERING_LIFELINE_FD", "9999")
      exit(WorkerLifeline.start() == nil ? 0 : 98)
    }
  }

  @Test func theLauncherBecomesTheProgram() async throws {
    await #expect(processExitsWith: .exitCode(7)) {
      environment("TREERING_SUPERVISOR_PID", "\(getppid())")
      environment("TREERING_LISTEN_FDS", "1")
      environment("LISTEN_PID", "1")
      WorkerLauncher.exec("sh", ["-c", "[ $LISTEN_PID = $$ ] && [ \"$0 $1\" = \"a b\" ] && exit 7; exit 9", "a", "b"])
    }
  }

  @Test func theLauncherDoesNotStartAnOrphan() async throws {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
      environment("TREERING_SUPERVISOR_PID", "1")
      WorkerLauncher.exec("sh", ["-c", "exit 7"])
    }
    #expect(result?.standardErrorText == "treering: the supervisor has gone; 'sh' is not started\n")
  }

  @Test(arguments: [("/no/such/program", 127, "No such file or directory"), ("/etc/passwd", 126, "Permission denied")])
  func theLauncherNamesWhatItCannotRun(program: String, code: Int, reason: String) async throws {
    let result = await #expect(
      processExitsWith: .exitCode(CInt(code)), observing: [\.standardErrorContent]
    ) { [program] in
      environment("TREERING_SUPERVISOR_PID", "\(getppid())")
      WorkerLauncher.exec(program, [])
    }
    #expect(
      result?.standardErrorText
        == "treering: cannot run '\(program)': \(reason). Check its path and its permissions\n")
  }
}

/// Before this process has other threads that read its environment.
private func environment(_ name: String, _ value: String?) {
  if let value { unsafe setenv(name, value, 1) } else { unsafe unsetenv(name) }
}

private func blockAllSignals() {
  var all = sigset_t()
  unsafe sigfillset(&all)
  unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
}

private func streamPair() -> [Int32] {
  var ends: [Int32] = [-1, -1]
  _ = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
  return ends
}

private func receive(_ descriptor: Int32) -> String {
  var bytes = [UInt8](repeating: 0, count: 64)
  let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
  return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
}

extension ExitTest.Result {
  fileprivate var standardErrorText: String { String(decoding: standardErrorContent, as: UTF8.self) }
}

/// Does something once, when an event of a kind has come so many times.
private final class When: SupervisorReporter {
  private let left: Mutex<Int>
  private let isMeant: @Sendable (SupervisorEvent) -> Bool
  private let act: @Sendable () -> Void

  init(_ count: Int, _ isMeant: @escaping @Sendable (SupervisorEvent) -> Bool, _ act: @escaping @Sendable () -> Void) {
    left = Mutex(count)
    self.isMeant = isMeant
    self.act = act
  }

  static func started(_ count: Int, _ act: @escaping @Sendable () -> Void) -> When {
    When(count, { $0.started != nil }, act)
  }

  static func ready(_ count: Int, _ act: @escaping @Sendable () -> Void) -> When {
    When(count, { $0.ready != nil }, act)
  }

  static func reloaded(_ act: @escaping @Sendable () -> Void) -> When { When(1, { $0 == .reloaded }, act) }

  var isDone: Bool { left.withLock { $0 <= 0 } }

  func report(_ event: SupervisorEvent) {
    guard isMeant(event) else { return }
    let isLast = left.withLock { left in
      left -= 1
      return left == 0
    }
    if isLast { act() }
  }
}
