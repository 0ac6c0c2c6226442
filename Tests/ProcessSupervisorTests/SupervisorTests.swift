import Foundation
import Glibc
import Testing
import TreeRing

@testable import ProcessSupervisor

/// Real processes, all of them lines of shell. Bounded in time; they wait for what happens, not for time to pass.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SupervisorTests {
  @Test func aKilledWorkerComesBackAtOnce() throws {
    let folder = try Folder()
    let run = try SupervisedRun(
      .shell("mkdir $DIR/first 2>/dev/null && kill -9 $$; exec sleep 60", in: folder, workers: 1))
    let pids = run.recorder.wait(2) { $0.started }
    let crash = try #require(run.recorder.wait { $0.crashed }.first)
    #expect(crash.pid == pids.first)
    #expect(crash.worker == 0)
    #expect(crash.restarts == 0)
    #expect(crash.status == .signaled(signal: SIGKILL, coreDumped: false))
    #expect(crash.status.signalName == "SIGKILL")
    #expect(crash.uptime < .seconds(60))
    #expect(pids.count == 2)
    #expect(run.recorder.all.last == .workerStarted(worker: 0, pid: try #require(pids.last), restarts: 1))
    #expect(run.stop() == 0)
  }

  @Test func anExitStatusIsReportedAsSuch() throws {
    let folder = try Folder()
    let run = try SupervisedRun(.shell("mkdir $DIR/first 2>/dev/null && exit 3; exec sleep 60", in: folder))
    #expect(run.recorder.wait { $0.crashed }.first?.status == .exited(code: 3))
    #expect(run.stop() == 0)
  }

  @Test func theEleventhDeathEndsEverything() throws {
    let folder = try Folder()
    // Worker 0 dies at every start, worker 1 would live.
    let script = "[ $TREERING_WORKER = 0 ] && exit 3; exec sleep 60"
    // However slowly the machine starts a shell.
    let policy = RestartPolicy(initialDelay: .milliseconds(1), period: .seconds(60))
    let run = try SupervisedRun(.shell(script, in: folder, workers: 2, restarts: policy))
    #expect(run.recorder.exitCode(within: 60) == 1)
    #expect(run.recorder.all.compactMap(\.crashed).count == 11)
    #expect(run.recorder.all.contains(.gaveUp(deaths: 11, period: .seconds(60))))
    #expect(run.recorder.all.compactMap(\.started).allSatisfy { !isRunning($0) })
    #expect(run.recorder.all.last == .stopped(code: 1))
  }

  @Test func aStopLetsWorkersFinish() throws {
    let folder = try Folder()
    let script = """
      trap 'kill $!; echo done > $DIR/bye; exit 0' TERM
      sleep 60 & echo READY=1 >&4; wait
      """
    let run = try SupervisedRun(.shell(script, in: folder))
    #expect(run.recorder.wait { $0.ready }.count == 1)
    #expect(run.stop() == 0)
    #expect(folder.text("bye") == "done\n")
    #expect(run.recorder.all.compactMap(\.exited).map(\.status) == [.exited(code: 0)])
    #expect(run.recorder.all.compactMap(\.killed).isEmpty)
  }

  @Test func aStubbornWorkerIsKilledAfterTheGracePeriod() throws {
    let folder = try Folder()
    let run = try SupervisedRun(
      .shell(
        "trap '' TERM; echo READY >&4; exec sleep 60", in: folder, timing: SupervisorTiming(grace: .milliseconds(100))))
    let pid = try #require(run.recorder.wait { $0.ready }.first)
    #expect(run.stop() == 0)
    #expect(run.recorder.all.compactMap(\.killed) == [pid])
    let status = run.recorder.all.compactMap(\.exited).first?.status
    #expect(status == .signaled(signal: SIGKILL, coreDumped: false))
    #expect(!isRunning(pid))
  }

  @Test func aSecondStopKillsAtOnce() throws {
    let folder = try Folder()
    let run = try SupervisedRun(
      .shell(
        "trap '' TERM; echo READY >&4; exec sleep 60", in: folder,
        timing: SupervisorTiming(grace: .seconds(600), haste: .zero)))
    #expect(run.recorder.wait { $0.ready }.count == 1)
    run.supervisor.requestStop()
    #expect(run.stop() == 0)
  }

  @Test func aMissingProgramIsAConfigurationError() throws {
    let run = try SupervisedRun(
      SupervisorConfiguration(program: "/no/such/program", workers: 2, handlesSignals: false))
    #expect(run.recorder.exitCode(within: 60) == 78)
    #expect(run.recorder.all.first == .spawnFailed(worker: 0, code: ENOENT))
  }

  @Test(arguments: [64, 78] as [Int32]) func aWorkerThatCannotRunEndsEverything(code: Int32) throws {
    let folder = try Folder()
    let run = try SupervisedRun(
      .shell("[ $TREERING_WORKER = 0 ] && exit \(code); exec sleep 60", in: folder, workers: 2))
    #expect(run.recorder.exitCode(within: 60) == code)
  }

  @Test func aRollingRestartReplacesEveryWorker() throws {
    let folder = try Folder()
    let run = try SupervisedRun(
      .shell("echo READY=1 >&4; exec sleep 60", in: folder, workers: 2, expectsReady: true))
    let old = run.recorder.wait(2) { $0.ready }
    run.supervisor.requestReload()
    #expect(run.recorder.wait { $0 == .reloaded ? true : nil } == [true])
    let new = run.recorder.all.compactMap(\.started).suffix(2)
    #expect(old.allSatisfy { !isRunning($0) })
    #expect(new.count == 2 && new.allSatisfy { isRunning($0) })
    #expect(Set(new).isDisjoint(with: old))
    #expect(run.stop() == 0)
  }

  @Test func aFailedRollingRestartKeepsTheOldWorker() throws {
    let folder = try Folder()
    let run = try SupervisedRun(
      .shell("mkdir $DIR/first 2>/dev/null || exit 1; echo READY >&4; exec sleep 60", in: folder, expectsReady: true))
    let pid = try #require(run.recorder.wait { $0.ready }.first)
    run.supervisor.requestReload()
    let failure = SupervisorEvent.reloadFailed(worker: 0, reason: .died(.exited(code: 1)))
    #expect(run.recorder.wait { $0 == failure ? true : nil } == [true])
    #expect(isRunning(pid))
    #expect(run.stop() == 0)
  }

  @Test func waitingCostsNothing() throws {
    let folder = try Folder()
    // A program that closes its lifeline leaves a descriptor that would poll readable for ever.
    let run = try SupervisedRun(.shell("exec 4>&-; echo x > $DIR/closed; exec sleep 60", in: folder))
    while folder.text("closed") == nil { usleep(1000) }
    // Some machines charge a thread for the time in which they stand still. One that spins would spend all of every wait.
    var spent: [Duration] = []
    repeat {
      let before = run.recorder.processorTime()
      usleep(300_000)
      spent.append(run.recorder.processorTime() - before)
    } while spent.count < 10 && spent[spent.count - 1] >= .milliseconds(30)
    #expect(spent[spent.count - 1] < .milliseconds(30), "processor time in waits of 300 ms: \(spent)")
    #expect(run.stop() == 0)
  }
}

/// What a worker finds when it wakes.
@Suite(.serialized, .timeLimit(.minutes(3))) struct WorkerProcessTests {
  @Test func finds() throws {
    let folder = try Folder()
    // A descriptor without close-on-exec, such as other code in this process may hold.
    let leak = fcntl(0, F_DUPFD, 50)
    defer { close(leak) }
    let script = """
      { echo "fds $LISTEN_FDS $TREERING_LISTEN_FDS pid ${LISTEN_PID-unset} worker $TREERING_WORKER"
        [ $TREERING_SUPERVISOR_PID = $PPID ] && echo parent
        readlink /proc/$$/fd/0; [ -S /proc/$$/fd/3 ] && echo listener; [ -S /proc/$$/fd/4 ] && echo lifeline
        [ -e /proc/$$/fd/\(leak) ] && echo leak
        while read name value; do case $name in SigBlk:) echo blocked $value;; esac; done < /proc/$$/status
      } > $DIR/found
      echo READY=1 >&4; exec sleep 60
      """
    let run = try SupervisedRun(.shell(script, in: folder), listener: ListeningSocket.bind("127.0.0.1:0"))
    #expect(run.recorder.wait { $0.ready }.count == 1)
    let found = folder.text("found")?.split(separator: "\n")
    #expect(
      found == [
        "fds 1 1 pid unset worker 0", "parent", "/dev/null", "listener", "lifeline", "blocked 0000000000000000",
      ])
    #expect(run.stop() == 0)
  }

  @Test func findsNoListenerWhenThereIsNone() throws {
    let folder = try Folder()
    let script = "{ echo ${LISTEN_FDS-unset}; [ -e /proc/$$/fd/3 ] && echo something; } > $DIR/found; "
    let run = try SupervisedRun(.shell(script + "echo READY >&4; exec sleep 60", in: folder))
    #expect(run.recorder.wait { $0.ready }.count == 1)
    #expect(folder.text("found") == "unset\n")
    #expect(run.stop() == 0)
  }

  @Test func isNotToldItsSupervisorsBusiness() {
    let lines = WorkerEnvironment.lines(
      worker: 3, listens: true, supervisor: 17,
      inherited: [
        "PATH=/bin", "NOTIFY_SOCKET=/run/n", "WATCHDOG_USEC=1", "LISTEN_PID=4", "LISTEN_FDS=9", "APP_ENV=a", "odd",
      ],
      extra: ["APP_ENV": "production", "TREERING_WORKER": "99"])
    #expect(
      lines == [
        "PATH=/bin", "odd", "APP_ENV=production", "LISTEN_FDS=1", "TREERING_LIFELINE_FD=4", "TREERING_LISTEN_FDS=1",
        "TREERING_SUPERVISOR_PID=17", "TREERING_WORKER=3",
      ])
  }

  @Test(arguments: [
    ("READY=1\n", true), ("READY\n", true), ("READY=1", false), ("READY=0\n", false), ("STATUS=x\nREADY=1\nX", true),
    ("NOT READY=1\n", false), ("READY=1 \n", false), (String(repeating: "x", count: 10_000) + "\nREADY\n", true),
  ])
  func readsReadyLines(text: String, isReady: Bool) {
    var whole = ReadyLines()
    let atOnce = whole.take(Array(text.utf8))
    #expect(atOnce == isReady)
    var pieces = ReadyLines()
    let byteByByte = text.utf8.map { pieces.take([$0]) }
    #expect(byteByByte.contains(true) == isReady)
  }

  @Test func theSharedSocketAnswersWhileNoWorkerLives() throws {
    let folder = try Folder()
    let listener = try ListeningSocket.bind("127.0.0.1:0")
    let address = listener.address
    let own = dup(listener.descriptor)
    defer { close(own) }
    let inode = "mkdir $DIR/first 2>/dev/null && { readlink /proc/$$/fd/3 > $DIR/one; kill -9 $$; }; "
    let run = try SupervisedRun(
      .shell(inode + "readlink /proc/$$/fd/3 > $DIR/two; echo READY >&4; exec sleep 60", in: folder),
      listener: listener)
    #expect(run.recorder.wait { $0.crashed }.count == 1)
    // No worker takes connections here: this one waits in the shared socket until somebody does.
    let client = try TestClient(address)
    let server = accept(own, nil, nil)
    defer { close(server) }
    #expect(server >= 0)
    #expect(unsafe send(server, "hello", 5, 0) == 5)
    #expect(client.receive() == "hello")
    #expect(run.recorder.wait { $0.ready }.count == 1)
    #expect(folder.text("one")?.hasPrefix("socket:[") == true)
    #expect(folder.text("one") == folder.text("two"))
    #expect(run.stop() == 0)
  }
}

@Suite struct SignalNameTests {
  @Test(arguments: [
    (SIGHUP, "SIGHUP"), (SIGILL, "SIGILL"), (SIGABRT, "SIGABRT"), (SIGBUS, "SIGBUS"), (SIGKILL, "SIGKILL"),
    (SIGSEGV, "SIGSEGV"), (SIGTERM, "SIGTERM"), (SIGXFSZ, "SIGXFSZ"), (SIGSYS, "SIGSYS"), (34, "SIGRTMIN"),
    (36, "SIGRTMIN+2"), (0, "signal 0"), (99, "signal 99"), (-1, "signal -1"),
  ])
  func names(signal: Int32, name: String) {
    #expect(SignalName.of(signal) == name)
  }

  /// Where a record has no room for all, the frames nearest to the crash and the newest lines are kept.
  @Test func theNewestLinesAreKept() {
    let lines = (0..<100).map { "line \($0)" }
    #expect(CrashReport.last(of: lines, within: 1 << 20) == lines)
    let newest = CrashReport.last(of: lines, within: 160)
    #expect(newest.count == 10 && newest.last == "line 99" && newest.first == "line 90")
    #expect(CrashReport.first(of: lines, within: 160) == Array(lines.prefix(11)))
    #expect(CrashReport.last(of: lines, within: 0).isEmpty && CrashReport.first(of: [], within: 9).isEmpty)
    #expect(CrashReport.last(of: lines, within: -5).isEmpty)
  }

  @Test func describesEnds() {
    #expect("\(ProcessStatus.exited(code: 3))" == "exit 3")
    #expect("\(ProcessStatus.signaled(signal: SIGSEGV, coreDumped: true))" == "SIGSEGV (core dumped)")
    #expect(ProcessStatus.exited(code: 3).code == 3)
    #expect(ProcessStatus.signaled(signal: SIGILL, coreDumped: false).code == nil)
  }
}
