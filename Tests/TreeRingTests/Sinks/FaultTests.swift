import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Real faults of real destinations, under a program that goes on logging: a tmpfs that fills up, a FIFO whose reader sleeps and goes, a child process that is
/// killed. After each the account is complete, and the program has noticed nothing.
@Suite(.serialized) struct FaultTests {
  /// A call that waited for a sink would take as long as these outages, two seconds. Only calls in which the thread went to sleep of itself are measured: what a busy machine
  /// takes away from a thread is no wait.
  private static let longestCall = 1_000_000_000

  private func account(_ path: String) throws -> StreamAccount {
    let account = StreamAccount(try JSONRecord.read(path))
    #expect(account.faults == [], "\(path)")
    return account
  }

  // MARK: a full disk

  /// A tmpfs in a mount namespace of the program's own, which nobody else sees; a path in it is reached by the program's /proc/PID/root.
  private func onSmallDisk(
    _ directory: TemporaryDirectory, kilobytes: Int, options: String = "", sinks: (String) -> String
  ) throws -> PacedRun? {
    let disk = directory.file("disk")
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    let probe = try ChildProcess(
      "/usr/bin/unshare", ["-m", "mount", "-t", "tmpfs", "none", disk], errors: directory.file("probe"))
    guard probe.wait() == .exit(0) else {
      print("not run: a tmpfs that fills up: no mount namespace can be made here: \(probe.errors)")
      return nil
    }
    let script = """
      mount -t tmpfs -o size=\(kilobytes)k\(options) none '\(disk)' && "$@"; code=$?; cp '\(disk)'/* '\(directory.path)' 2>/dev/null; exit $code
      """
    return try PacedRun(
      directory, sinks: sinks(disk), within: ["unshare", "-m", "--", "sh", "-c", script, "sh"], ringSize: "8MiB")
  }

  /// The program below the shell that made its disk; as /proc shows its files.
  private func root(of run: PacedRun) -> String { "/proc/\(run.child.pid)/root" }

  /// The only sink is on the full disk: records wait in the rings, standard error is told once, and all come when there is room.
  @Test func aFullDiskHoldsRecordsBackAndLosesNone() throws {
    let directory = try TemporaryDirectory()
    guard let run = try onSmallDisk(directory, kilobytes: 16_384, sinks: { "file:\($0)/log" }) else { return }
    let (disk, log) = (root(of: run) + directory.file("disk"), root(of: run) + directory.file("disk/log"))
    PacedRun.waitForGrowth(of: log)
    try FaultyPlace.fill(disk + "/ballast")
    PacedRun.wait(for: "the complaint") { !run.complaints.isEmpty }
    // While it tries, half a line may be there.
    var full = 0
    PacedRun.wait(for: "whole lines") {
      full = PacedRun.size(log)
      return (try? String(contentsOfFile: log, encoding: .utf8))?.hasSuffix("\n") == true
    }
    usleep(1_200_000)
    PacedRun.wait(for: "half a line of a full disk to be taken back") { PacedRun.size(log) == full }
    #expect(unsafe unlink(disk + "/ballast") == 0)
    PacedRun.waitForGrowth(of: log)
    let latency = try run.finish()
    let account = try account(directory.file("log"))
    #expect(account.records.count == latency.calls, "\(account.rings.values.map(\.dropped))")
    #expect(account.outages.map(\.msg) == ["sink failed", "sink back"])
    #expect(run.complaints.count == 1, "\(run.complaints)")
    #expect(run.complaints.first?.contains("No space left on device") == true)
    #expect(latency.longestWait < Self.longestCall)
  }

  /// Another sink works: it gets everything in time, and the one on the full disk is told what it has missed.
  @Test func aFullDiskDoesNotHoldUpTheOtherSink() throws {
    let directory = try TemporaryDirectory()
    let other = directory.file("other.log")
    guard
      let run = try onSmallDisk(
        directory, kilobytes: 16_384, sinks: { "file:\($0)/log?backlog=16KiB file:\(other)" })
    else { return }
    let (disk, log) = (root(of: run) + directory.file("disk"), root(of: run) + directory.file("disk/log"))
    PacedRun.waitForGrowth(of: log)
    try FaultyPlace.fill(disk + "/ballast")
    PacedRun.waitForGrowth(of: other, by: 200_000)
    #expect(unsafe unlink(disk + "/ballast") == 0)
    PacedRun.waitForGrowth(of: log)
    let latency = try run.finish()
    let whole = try account(other)
    #expect(whole.records.count == latency.calls)
    let part = try account(directory.file("log"))
    let withheld = part.rings.values.reduce(0) { $0 + $1.withheldCount }
    #expect(withheld > 0 && withheld == latency.withheld)
    #expect(part.records.count + withheld == latency.calls)
    for account in [whole, part] {
      #expect(account.outages.map(\.msg) == ["sink failed", "sink back"])
      #expect(account.outages.last?.integer("treering.lost") == withheld)
    }
    #expect(run.complaints == [], "the other sink was told")
    #expect(latency.longestWait < Self.longestCall)
  }

  /// A file system that is only read: the file cannot be opened, which is told, and logging goes on.
  @Test func aReadOnlyFileSystemIsToldAtTheStart() throws {
    let directory = try TemporaryDirectory()
    guard let run = try onSmallDisk(directory, kilobytes: 64, options: ",ro", sinks: { "file:\($0)/log" }) else {
      return
    }
    PacedRun.wait(for: "the complaint") { !run.complaints.isEmpty }
    PacedRun.waitForGrowth(of: directory.file("errors"))
    _ = try run.finish()
    #expect(run.complaints.count == 1 && run.complaints[0].contains("Read-only file system"), "\(run.complaints)")
    let lines = run.child.errors.split(separator: "\n").filter { $0.hasPrefix("{") }
    #expect(try lines.last.map { try JSONRecord(line: $0) }?.msg == "ring closed")
  }

  /// A directory that the program may not write to, tried as a user who is not root.
  @Test func aDirectoryWithoutPermissionIsToldAtTheStart() throws {
    let directory = try TemporaryDirectory()
    let (locked, rings) = (directory.file("locked"), directory.file("rings"))
    for path in [locked, rings] { try Syscalls.makeDirectories(path) }
    let command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    guard geteuid() == 0, unsafe chmod(directory.path, 0o711) == 0, unsafe chown(rings, 65534, 65534) == 0,
      try ChildProcess(
        "/usr/bin/setpriv", Array(command.dropFirst()) + [BuiltProducts.program("LogStorm"), "1", "1"],
        environment: ["TREERING_SINK": "null:", "TREERING_DIR": rings]
      ).wait() == .exit(0)
    else { return print("not run: a directory without permission: no other user can run the test program here") }
    let run = try PacedRun(directory, sinks: "file:\(locked)/log", within: command)
    PacedRun.waitForGrowth(of: directory.file("errors"))
    _ = try run.finish()
    #expect(
      run.complaints.count == 1 && run.complaints[0].contains("\(locked)/log: Permission denied"), "\(run.complaints)")
  }

  // MARK: a FIFO

  /// The reader sleeps, goes away, and comes back, twice; beside it a file has everything.
  @Test func aReaderThatSleepsAndGoesDisturbsNobody() throws {
    let directory = try TemporaryDirectory()
    let (log, fifo) = (directory.file("log"), directory.file("fifo"))
    let run = try PacedRun(directory, sinks: "fifo:\(fifo)?backlog=32KiB file:\(log)")
    PacedRun.waitForGrowth(of: log)
    let reader = PipeReader()
    for _ in 0..<2 {
      PacedRun.wait(for: "the FIFO") { (try? reader.open(fifo)) != nil }
      let before = reader.bytes.count
      PacedRun.wait(for: "lines from the FIFO") { reader.bytes.count > before + 4000 }
      reader.isPaused = true
      // The pipe, and then the backlog.
      PacedRun.waitForGrowth(of: log, by: 300_000)
      reader.isPaused = false
      PacedRun.wait(for: "the rest from the FIFO") { reader.bytes.count > before + 200_000 }
      reader.close()
      PacedRun.waitForGrowth(of: log, by: 20_000)
    }
    try reader.open(fifo)
    let before = reader.bytes.count
    PacedRun.wait(for: "lines from the FIFO") { reader.bytes.count > before + 4000 }
    let latency = try run.finish()
    PacedRun.wait(for: "the closing record") { Self.endsStream(reader.bytes) }
    #expect(try account(log).records.count == latency.calls)
    let lines = reader.bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    // A reader that goes in the middle of a line tears it for itself; the line comes again to the next.
    let records = lines.compactMap { try? JSONRecord(line: $0) }
    #expect(lines.count - records.count <= 2)
    #expect(records.last?.msg == "ring closed")
    let news = records.compactMap { ["sink failed", "sink back"].contains($0.msg) ? $0.msg : nil }
    #expect(news.count >= 4 && news.last == "sink back")
    #expect(latency.withheld > 0)
    #expect(latency.longestWait < Self.longestCall)
    #expect(FileManager.default.fileExists(atPath: fifo))
    #expect(try Syscalls.status(ofPath: fifo).st_mode & 0o777 == 0o600)
  }

  private static func endsStream(_ bytes: [UInt8]) -> Bool {
    let end = String(decoding: bytes.suffix(4096), as: UTF8.self)
    return end.hasSuffix("\n") && end.split(separator: "\n").last?.contains("\"ring closed\"") == true
  }

  /// The only sink is a FIFO that nobody ever reads: the program ends in time, and its records can be recovered.
  @Test func aFIFOThatNobodyReadsDoesNotKeepTheProgramFromEnding() throws {
    let directory = try TemporaryDirectory()
    let run = try PacedRun(directory, sinks: "fifo:\(directory.file("fifo"))")
    PacedRun.wait(for: "the complaint") { !run.complaints.isEmpty }
    let latency = try run.finish()
    #expect(run.complaints.count == 2 && run.complaints[1].contains("treering recover"), "\(run.complaints)")
    let sink = MemorySink()
    for path in try RingDirectory.files(in: directory.file("rings")) {
      #expect(try Recovery(fallback: sink).recover(path) != .alive)
    }
    let account = StreamAccount(try sink.records())
    #expect(account.faults == [])
    #expect(account.records.count == latency.calls, "\(account.rings.values.map(\.dropped))")
  }

  /// What `prog 2>&1 | head -1` does: SIGPIPE is at its default, which would end the program at its next line.
  @Test func aReaderOfStandardOutputThatGoesEndsNothing() throws {
    let directory = try TemporaryDirectory()
    let program = BuiltProducts.program("LogStorm")
    let child = try ChildProcess(
      "/bin/bash",
      ["-c", "env --default-signal=PIPE '\(program)' 1 20000 | head -1 >/dev/null; exit ${PIPESTATUS[0]}"],
      environment: [
        "TREERING_SINK": "stdout:", "TREERING_DIR": directory.file("rings"), "TREERING_FORMAT": "json",
      ], errors: directory.file("errors"))
    #expect(child.wait() == .exit(0))
    #expect(child.errors.contains("stdout:"), "\(child.errors)")
  }

  /// Standard error is a pipe that nobody reads, and in blocking mode: the program logs, and ends.
  @Test func aStandardErrorThatNobodyReadsDoesNotKeepTheProgramFromEnding() throws {
    let directory = try TemporaryDirectory()
    let fifo = directory.file("stderr")
    #expect(unsafe mkfifo(fifo, 0o600) == 0)
    let reader = try Syscalls.open(fifo, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    let child = try ChildProcess(
      "LogStorm", ["1", "5000"],
      environment: ["TREERING_SINK": "stderr:?format=json", "TREERING_DIR": directory.file("rings")],
      errors: fifo)
    let begin = Syscalls.now(CLOCK_MONOTONIC)
    #expect(child.wait() == .exit(0))
    #expect(Syscalls.now(CLOCK_MONOTONIC) - begin < 15_000_000_000)
    #expect(directory.names(in: "rings").count == 1, "what was not written is kept for recovery")
  }

  // MARK: a child process

  @Test func aChildThatIsKilledIsStartedAgain() throws {
    let directory = try TemporaryDirectory()
    let (read, log, state) = (directory.file("read"), directory.file("log"), directory.file("state"))
    // Blanks in an argument are %20; the first thing it does is to tell what it was given.
    let script = "cat%20/proc/self/status>\(state);ls%20/proc/self/fd>>\(state);exec%20cat>>\(read)"
    let run = try PacedRun(directory, sinks: "file:\(log) exec:/bin/sh -c \(script)")
    PacedRun.waitForGrowth(of: read)
    let pid = try #require(Self.child(of: run.child.pid))
    kill(pid, SIGKILL)
    PacedRun.wait(for: "another child") { Self.child(of: run.child.pid).map { $0 != pid } ?? false }
    PacedRun.waitForGrowth(of: read)
    let latency = try run.finish()
    let whole = try account(log)
    #expect(whole.records.count == latency.calls)
    #expect(whole.outages.map(\.msg) == ["sink failed", "sink back"])
    #expect(whole.outages.first?["treering.error"] as? String == "it was ended by signal 9")
    let lines = try String(contentsOfFile: read, encoding: .utf8).split(separator: "\n")
    #expect(try lines.last.map { try JSONRecord(line: $0) }?.msg == "ring closed", "it has read to the end")
    let text = try String(contentsOfFile: state, encoding: .utf8)
    for line in text.split(separator: "\n") where line.hasPrefix("SigBlk:") || line.hasPrefix("SigIgn:") {
      // Of the signals that exist for programs none; 32 and 33 are the C library's own, which it has every child ignore.
      #expect(line.hasSuffix("\t0000000000000000") || line == "SigIgn:\t0000000180000000", "\(line)")
    }
    let descriptors = text.split(separator: "\n").compactMap { Int($0) }
    // The three, and the directory that `ls` reads.
    #expect(descriptors.count <= 4 && descriptors.contains(0), "\(descriptors)")
  }

  private static func child(of pid: pid_t) -> pid_t? {
    let path = "/proc/\(pid)/task"
    for task in (try? Syscalls.list(path)) ?? [] {
      let children = Syscalls.contents(of: "\(path)/\(task)/children") ?? []
      if let first = String(decoding: children, as: UTF8.self).split(separator: " ").first { return pid_t(first) }
    }
    return nil
  }

  /// One that ends at once is started again after longer and longer pauses: 50 ms, 100 ms, 200 ms …
  @Test func aChildThatDoesNotLastIsStartedLessAndLessOften() throws {
    let directory = try TemporaryDirectory()
    let (log, starts) = (directory.file("log"), directory.file("starts"))
    let run = try PacedRun(directory, sinks: "file:\(log) exec:/bin/sh -c echo>>\(starts);exit%201")
    PacedRun.wait(for: "the third start") { PacedRun.size(starts) >= 3 }
    let begin = (time: Syscalls.now(CLOCK_MONOTONIC), starts: PacedRun.size(starts))
    usleep(2_000_000)
    let count = PacedRun.size(starts) - begin.starts
    let seconds = Double(Syscalls.now(CLOCK_MONOTONIC) - begin.time) / 1e9
    // 200, 400, 800 ms and so on: with pauses of 50 ms there would be twenty a second.
    #expect(Double(count) < 3 * seconds)
    let latency = try run.finish()
    let whole = try account(log)
    #expect(whole.records.count == latency.calls)
    // On a busy machine its end of the pipe is closed long before it can be waited for.
    let reasons = ["it has exited with status 1", "it does not read its standard input any more"]
    #expect(reasons.contains(whole.outages.first?["treering.error"] as? String ?? ""))
  }

  // MARK: filters, and calls

  /// Four sinks with formats, levels and labels of their own: each account is complete.
  @Test func eachSinkHasItsOwnFormatLevelAndLabels() throws {
    let directory = try TemporaryDirectory()
    let (all, warnings, other) = (directory.file("all"), directory.file("warnings"), directory.file("other"))
    let pairs = directory.file("pairs")
    let run = try PacedRun(
      directory,
      sinks: "file:\(all) file:\(warnings)?level=warning file:\(other)?labels=other,none.*&level=info "
        + "file:\(pairs)?format=logfmt")
    PacedRun.waitForGrowth(of: warnings)
    let latency = try run.finish()
    #expect(try account(all).records.count == latency.calls)
    let lines = try String(contentsOfFile: pairs, encoding: .utf8).split(separator: "\n")
    let numbers = try lines.compactMap { line in
      try LogfmtReader.pairs(String(line)).first { $0.name == "storm.number" }?.value
    }
    #expect(numbers == (0..<latency.calls).map { "\($0)" })
    for path in [warnings, other] {
      let account = try account(path)
      #expect(account.records.count == latency.calls / 4)
      #expect(account.records.allSatisfy { $0.logger == "other" })
      #expect(account.rings.values.map(\.filtered) == [latency.calls - latency.calls / 4])
    }
  }

  /// Killed while one sink fails: the file that worked has each record once, and so has the other but for what it says it has missed.
  @Test func aDeathDuringAnOutageKeepsEveryAccountComplete() throws {
    let directory = try TemporaryDirectory()
    let other = directory.file("other.log")
    let run = try PacedRun(
      directory, sinks: "file:\(other) fifo:\(directory.file("fifo"))?backlog=8KiB")
    PacedRun.waitForGrowth(of: other, by: 100_000)
    run.child.kill(SIGKILL)
    run.child.wait()
    for path in try RingDirectory.files(in: directory.file("rings")) {
      _ = try Recovery(fallback: MemorySink()).recover(path)
    }
    #expect(try account(other).records.count > 100)
  }

  /// The distribution of a call's time with sleeping readers is that without.
  @Test func callsTakeNoLongerWhileSinksFail() throws {
    func latency(_ sinks: (TemporaryDirectory) -> String) throws -> PacedRun.Latency {
      let directory = try TemporaryDirectory()
      let run = try PacedRun(directory, sinks: sinks(directory))
      PacedRun.waitForGrowth(of: directory.file("log"), by: 500_000)
      return try run.finish()
    }
    let calm = try latency { "file:\($0.file("log"))" }
    let faulty = try latency {
      "file:\($0.file("log")) fifo:\($0.file("a"))?backlog=4KiB fifo:\($0.file("b")) exec:/bin/sh -c exit%201"
    }
    print(
      "a call, calm: median \(calm.median) ns, p99 \(calm.p99) ns, longest \(calm.longest) ns; "
        + "with three failing sinks: median \(faulty.median) ns, p99 \(faulty.p99) ns, longest \(faulty.longest) ns")
    #expect(faulty.calls > 1000)
    #expect(faulty.median < calm.median * 5 + 5000)
    #expect(faulty.longestWait < Self.longestCall)
  }
}
