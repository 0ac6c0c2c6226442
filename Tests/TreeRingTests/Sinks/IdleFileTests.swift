import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// What an idle process's writer wakes up for: nothing, or what its file was asked to do.
@Suite(.serialized) struct IdleFileTests {
  @Test(arguments: ["", "?rotate=1MB&compress=gzip", "?rotate=daily", "?sync=batch", "?rotate=1MB,hourly&keep=3"])
  func anIdleProcessSleeps(options: String) throws {
    let run = try StormRun()
    var environment = run.environment
    environment["TREERING_SINK"] = "file:\(run.log)\(options)"
    let child = try ChildProcess("LogStorm", ["steps", run.directory.file("go"), "10"], environment: environment)
    #expect(child.readLine() == "step 0")
    let writer = try WriterWatch(run)
    let before = try writer.waitUntilParked()
    let hour = Syscalls.now(CLOCK_REALTIME) / 3_600_000_000_000
    usleep(500_000)
    let after = try writer.wakeUps()
    // The one moment at which it may.
    if hour == Syscalls.now(CLOCK_REALTIME) / 3_600_000_000_000 { #expect(after == before) }
    let threads = try Syscalls.list("/proc/\(child.pid)/task").map {
      try String(contentsOfFile: "/proc/\(child.pid)/task/\($0)/comm", encoding: .utf8)
    }
    #expect(!threads.contains("treering-files\n"), "the thread in the background is there only while it has work")
  }

  /// A nap changes nothing for the file: it is looked at for each batch, when the rings have become empty, for a flush, and before the writer parks.
  @Test(arguments: ["", "?rotate=daily"])
  func aNappingWriterDoesNotLookAtTheFile(options: String) throws {
    let run = try StormRun()
    var environment = run.environment
    environment["TREERING_SINK"] = "file:\(run.log)\(options)"
    let trace = run.directory.file("trace")
    let child = try ChildProcess(
      "/usr/bin/strace",
      ["-f", "-qqq", "-o", trace, "-P", run.log, "-e", "trace=%stat,%lstat,%fstat", BuiltProducts.program("LogStorm")]
        + ["idle", "300"],
      environment: environment, errors: run.directory.file("errors"))
    _ = child.readAll()
    #expect(child.wait() == .exit(0), "\(child.errors)")
    let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
    let looks = calls.count { $0.contains("\(run.log)\"") }
    #expect(try JSONRecord.read(run.log).count == 4)
    // For two batches and the closing records, once after each of the first, for the flush, before parking. It naps a dozen times.
    #expect(looks >= 3 && looks <= 12, "\(looks)")
  }

  /// A program that logs nothing keeps a renamed file open until it is told.
  @Test func aProgramThatHandlesSIGHUPFollowsThoughItLogsNothing() throws {
    let run = try StormRun()
    let child = try ChildProcess(
      "LogStorm", ["steps", run.directory.file("go"), "10"], environment: run.environment)
    #expect(child.readLine() == "step 0")
    _ = try WriterWatch(run).waitUntilParked()
    unsafe rename(run.log, run.log + ".1")
    usleep(50_000)
    #expect(!run.directory.names(in: ".").contains("log"), "an idle writer sleeps")
    child.kill(SIGHUP)
    let isThere = (0..<1000).contains { _ in
      usleep(10_000)
      return run.directory.names(in: ".").contains("log")
    }
    #expect(isThere)
    let open = try Syscalls.list("/proc/\(child.pid)/fd").map {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(child.pid)/fd/\($0)")) ?? ""
    }
    #expect(open.contains(run.log) && !open.contains(run.log + ".1"))
  }

  /// It wakes up to make the last batch durable, and then never again.
  @Test func itWakesForWhatItWasAskedFor() throws {
    let run = try StormRun()
    var environment = run.environment
    environment["TREERING_SINK"] = "file:\(run.log)?sync=1000ms"
    let trace = run.directory.file("trace")
    let child = try ChildProcess(
      "/usr/bin/strace",
      ["-f", "-qqq", "-o", trace, "-e", "trace=fdatasync", BuiltProducts.program("LogStorm")]
        + ["steps", run.directory.file("go"), "10"],
      environment: environment, errors: run.directory.file("errors"))
    guard child.readLine() == "step 0" else {
      return print("not run: strace cannot trace here: \(child.errors.prefix(100))")
    }
    func syncs() -> Int {
      let text = (try? String(contentsOfFile: trace, encoding: .utf8)) ?? ""
      return text.split(separator: "\n").count { $0.contains("fdatasync(") }
    }
    PacedRun.wait(for: "the bytes to be on the disk") { syncs() > 0 }
    let writer = try WriterWatch(run)
    let parked = try writer.waitUntilParked()
    usleep(1_500_000)
    #expect(try writer.wakeUps() == parked)
    #expect(syncs() == 1)
    try Data().write(to: URL(fileURLWithPath: run.directory.file("go.end")))
    #expect(child.wait() == .exit(0))
  }
}
