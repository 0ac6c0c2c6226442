import CTreeRing
import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Processes that are stopped and go on (SIGSTOP and SIGCONT; a debugger, a container that is frozen): the program, its collector, and its end.
@Suite struct StandstillTests {
  /// Whether the kernel has stopped it.
  private func isStopped(_ pid: pid_t) -> Bool {
    let stat = Syscalls.contents(of: "/proc/\(pid)/stat", limit: 4096) ?? []
    return String(decoding: stat, as: UTF8.self).split(separator: ")").last?.hasPrefix(" T") == true
  }

  private func stop(_ child: ChildProcess) {
    child.kill(SIGSTOP)
    PacedRun.wait(for: "the program to stop") { isStopped(child.pid) }
  }

  /// False when it has ended first, or `limit` nanoseconds are over.
  private func canStop(_ child: ChildProcess, before limit: UInt64) -> Bool {
    child.kill(SIGSTOP)
    while !isStopped(child.pid), Syscalls.now(CLOCK_MONOTONIC) < limit { usleep(500) }
    return isStopped(child.pid) && Syscalls.now(CLOCK_MONOTONIC) < limit
  }

  /// It is no dead program: neither its next start nor `treering recover` takes what it has.
  @Test func aStoppedProgramKeepsItsRecords() throws {
    let directory = try TemporaryDirectory()
    let log = directory.file("log")
    let run = try PacedRun(directory, sinks: "file:\(log)")
    PacedRun.waitForGrowth(of: log)
    stop(run.child)
    #expect(try Recovery(fallback: MemorySink()).recover(run.ringFile()) == .alive)
    let other = try ChildProcess(
      "LogStorm", ["1", "10"], environment: ["TREERING_SINK": "null:", "TREERING_DIR": directory.file("rings")],
      errors: directory.file("other"))
    #expect(other.wait() == .exit(0) && other.errors == "")
    let size = PacedRun.size(log)
    #expect(try FileManager.default.fileExists(atPath: run.ringFile()))
    run.child.kill(SIGCONT)
    PacedRun.wait(for: "more lines") { PacedRun.size(log) > size + 4000 }
    let latency = try run.finish()
    let account = StreamAccount(try JSONRecord.read(log))
    #expect(account.faults == [] && account.records.count == latency.calls)
  }

  @Test func aCollectorHasTheRecordsOfAStoppedProgram() throws {
    let directory = try TemporaryDirectory()
    let run = try PacedRun(directory, sinks: "null:", writer: "external")
    PacedRun.wait(for: "a ring") { (try? RingSurvey(path: run.ringFile()).committed) ?? 0 > 100 }
    stop(run.child)
    let survey = try RingSurvey(path: run.ringFile())
    let sink = MemorySink()
    let collector = try RingCollector(path: run.ringFile()) { _ in [sink] }
    while collector.step() == .delivered {}
    // Of the call that it was stopped in, the number may be drawn and the record not yet there.
    #expect(survey.committed - collector.counters.records <= 1)
    #expect(collector.step() == .idle, "it lives")
    run.child.kill(SIGCONT)
    PacedRun.wait(for: "more records") {
      _ = collector.step()
      return collector.counters.records > survey.committed + 100
    }
    let latency = try run.finish()
    while collector.step() != .finished {}
    let account = StreamAccount(try sink.records())
    #expect(account.faults == [])
    #expect(account.records.count + account.rings.values.reduce(0) { $0 + $1.dropped } == latency.calls)
  }

  /// Its records wait in the rings, and are its own: nobody else may take them, though it does nothing.
  @Test func whatAStoppedCollectorHasNotTakenWaits() throws {
    let run = try StormRun(["TREERING_WRITER": "external", "TREERING_RING_SIZE": "16MiB"])
    let child = try run.start("2", "3000", run.progressFile)
    #expect(child.readLine() == "ready", "\(child.errors)")
    let path = try #require(RingDirectory.files(in: run.directory.file("rings")).first)
    let collector = try run.start("collect", path, run.log)
    #expect(collector.readLine() == "attached clean")
    stop(collector)
    let written = PacedRun.size(run.log)
    #expect(child.wait() == .exit(0), "\(child.errors)")
    #expect(throws: RingAttachment.Refusal.self) { try RingCollector(path: path) { _ in [] } }
    #expect(PacedRun.size(run.log) == written)
    collector.kill(SIGCONT)
    #expect(collector.wait() == .exit(0), "\(collector.errors)")
    let account = try StreamAccount(run.records())
    try run.checkStorm(account, threads: 2, seed: 0)
    #expect(account.records.count == 6001 && run.ringFiles == [])
  }

  /// A program that is about to end waits two seconds for a sink that does not work. Those in which it is stopped are none of them.
  @Test func aStandstillAtTheEndTakesNoPatience() throws {
    for _ in 0..<5 {
      let directory = try TemporaryDirectory()
      let fifo = directory.file("fifo")
      let run = try PacedRun(directory, sinks: "fifo:\(fifo)")
      PacedRun.wait(for: "the complaint") { !run.complaints.isEmpty }
      let begin = Syscalls.now(CLOCK_MONOTONIC)
      try Data().write(to: URL(fileURLWithPath: directory.file("paced.end")))
      let calls = try #require(run.child.readLine()?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
      // Too late, on a machine that had no time for this: it has ended, or is about to.
      guard canStop(run.child, before: begin + 1_000_000_000) else { continue }
      let reader = PipeReader()
      try reader.open(fifo)
      // More than its patience.
      usleep(2_500_000)
      run.child.kill(SIGCONT)
      #expect(run.child.wait() == .exit(0))
      #expect(run.complaints.count == 1, "\(run.complaints)")
      PacedRun.wait(for: "the end of the stream") { reader.bytes.last == UInt8(ascii: "\n") }
      let lines = String(decoding: reader.bytes, as: UTF8.self).split(separator: "\n")
      let account = try StreamAccount(lines.map { try JSONRecord(line: $0) })
      #expect(account.faults == [] && account.records.count == calls)
      return
    }
    Issue.record("in none of five runs the program could be stopped in time")
  }
}
