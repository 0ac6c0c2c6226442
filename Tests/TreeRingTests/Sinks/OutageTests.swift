import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Outages of all kinds under a program that goes on logging into a second file: each is told once out and once back, with what it has cost; callers and memory notice
/// nothing of it; service resumes by itself.
@Suite(.serialized) struct OutageTests {
  @Test(arguments: OutageKind.all)
  func itIsToldOnceOutAndOnceBack(kind: OutageKind) throws {
    let directory = try TemporaryDirectory()
    guard let subject = try kind.open(directory) else { return print("not run: an outage of the kind \(kind)") }
    let other = try file("other.log", in: directory, of: subject.user)
    let run = try PacedRun(
      directory, sinks: "\(subject.sink)?backlog=128KiB\(subject.options) file:\(other)", within: subject.within,
      pause: 1500)
    PacedRun.wait(for: "the first lines") { subject.arrived() > 4000 }
    let before = try run.residentKilobytes()
    try subject.fail()
    PacedRun.wait(for: "the notice of the outage") { tells("sink failed", other) }
    // More than the backlog, and than a pipe and a socket hold.
    PacedRun.waitForGrowth(of: other, by: 500_000)
    let during = try run.residentKilobytes()
    try subject.mend()
    PacedRun.wait(for: "the notice of the return") { tells("sink back", other) }
    let arrived = subject.arrived()
    PacedRun.wait(for: "lines after the outage") { subject.arrived() > arrived + 4000 }
    let latency = try run.finish()
    print(
      "\(kind): a call: median \(latency.median) ns, p99 \(latency.p99) ns, longest \(latency.longest) ns, longest wait "
        + "\(latency.longestWait) ns; resident before and during: \(before) and \(during) KiB")
    let account = StreamAccount(try JSONRecord.read(other))
    #expect(account.faults == [] && account.records.count == latency.calls)
    #expect(account.outages.map(\.msg) == ["sink failed", "sink back"])
    #expect(account.outages.allSatisfy { $0["treering.sink"] as? String == subject.sink })
    #expect(kind.errors.contains(account.outages.first?["treering.error"] as? String ?? ""), "\(account.outages)")
    #expect(account.outages.last?.integer("treering.lost") == latency.withheld && latency.withheld > 0)
    #expect(run.complaints == [], "the other sink was told")
    #expect(latency.longestWait < 1_000_000_000)
    // The backlog, the program's own list of what it has measured, and pages that were touched for the first time.
    #expect(during < before + 4096)
  }

  /// The path of a second log file, which the program can make.
  private func file(_ name: String, in directory: TemporaryDirectory, of user: UInt32?) throws -> String {
    guard let user else { return directory.file(name) }
    for folder in ["own", "rings"] {
      try Syscalls.makeDirectories(directory.file(folder))
      guard unsafe chown(directory.file(folder), user, user) == 0 else { throw Errno.current }
    }
    return directory.file("own/\(name)")
  }

  private func tells(_ message: String, _ path: String) -> Bool {
    (try? Data(contentsOf: URL(fileURLWithPath: path)))?.range(of: Data("\"msg\":\"\(message)\"".utf8)) != nil
  }

  /// What one sink does not take for as long as the program runs, and another one does.
  enum LongOutage: String, CaseIterable {
    case nobodyReads = "a FIFO that nobody reads"
    case readerSleeps = "a FIFO whose reader sleeps"
    case readerIsSlow = "a FIFO whose reader is slow"
    case childDoesNotLast = "a child process that ends at once"
  }

  /// Several hundred times what is kept for the sink passes by.
  @Test(arguments: LongOutage.allCases)
  func memoryIsBoundedHoweverLongItLasts(outage: LongOutage) throws {
    let run = try StormRun()
    let fifo = run.directory.file("fifo")
    #expect(unsafe mkfifo(fifo, 0o600) == 0)
    let reader = try outage.reader(of: fifo)
    let calm = try resident("null:", in: run)
    let failing = try resident("null: \(outage == .childDoesNotLast ? "exec:/bin/false" : "fifo:\(fifo)")", in: run)
    _ = reader
    print(
      "\(outage.rawValue): resident early, late: \(failing.early), \(failing.late) KiB; without it \(calm.late) KiB")
    #expect(failing.late < failing.early + 4096, "it does not grow")
    // A batch to be written, a mebibyte of backlog and a batch, twice while a slow reader is served, and an array that is copied while it grows.
    #expect(failing.late < calm.late + 12_288)
  }

  private func resident(_ sinks: String, in run: StormRun) throws -> (early: Int, late: Int) {
    var run = run
    run.environment["TREERING_SINK"] = sinks
    let child = try run.start("soak", "4", "2000")
    let states = try (0..<2).map { _ in try #require(child.readLine()?.split(separator: " ").first.flatMap { Int($0) })
    }
    let counters = try #require(child.readLine()?.split(separator: " ").compactMap { Int($0) })
    #expect(child.wait() == .exit(0), "\(child.errors)")
    #expect(counters[0] > 50_000 && counters[0] == counters[1], "emitted and written: \(counters)")
    return (states[0], states[1])
  }
}

extension OutageTests.LongOutage {
  /// What reads the FIFO, in its way; nil when nobody does.
  fileprivate func reader(of fifo: String) throws -> PipeReader? {
    switch self {
    case .nobodyReads, .childDoesNotLast: return nil
    case .readerSleeps, .readerIsSlow:
      let reader = PipeReader(pause: self == .readerIsSlow ? 2000 : 0)
      try reader.open(fifo)
      reader.isPaused = self == .readerSleeps
      return reader
    }
  }
}
