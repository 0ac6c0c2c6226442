import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Every way a process can end, and what is there afterwards: WhatSurvives.md, line by line.
///
/// After an end that writes nothing, the next start of the program does it.
@Suite struct EndTests {
  private typealias Ending = ChildProcess.Ending

  /// A normal end, or one that handlers see: everything is written, with closing records, and no ring file is left.
  @Test(
    arguments: [
      ("return", 0, []), ("exit", 3, []), ("exit on a thread", 3, ["thread exits"]), ("stop", 0, []),
      ("threads' pthread_exit", 0, (0..<10).map { "thread \($0)" }), ("main's pthread_exit", 3, ["last thread"]),
      ("atexit", 0, ["handler second", "handler first"]),
    ] as [(String, Int32, [String])])
  func writesEverythingAtTheEnd(way: String, code: Int32, extra: [String]) throws {
    let run = try StormRun()
    let child = try run.start("end", way)
    #expect(child.wait() == .exit(code), "\(child.errors)")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    #expect(account.records.compactMap(\.msg) == Self.before(100) + extra)
    #expect(account.records.allSatisfy { $0["treering.recovered"] == nil })
    #expect(run.ringFiles == [])
  }

  /// An end that nobody sees coming: the next start writes what is missing, marked.
  @Test(
    arguments: [
      ("_exit", .exit(3), []), ("quick_exit", .exit(3), []), ("abort", .signal(SIGABRT), []),
      ("SIGSEGV", .signal(SIGSEGV), []), ("SIGTERM", .signal(SIGTERM), []), ("SIGKILL", .signal(SIGKILL), []),
      ("crash handler", .signal(SIGSEGV), ["handler of 11"]),
    ] as [(String, ChildProcess.Ending, [String])])
  func theNextStartWritesTheRest(way: String, ending: ChildProcess.Ending, extra: [String]) throws {
    let run = try StormRun()
    let child = try run.start("end", way)
    #expect(child.wait() == ending, "\(child.errors)")
    try checkNextStart(run, child.pid, expected: Self.before(100) + extra)
  }

  /// Swift's own traps; which signal they are, the processor says.
  @Test(arguments: ["fatalError", "out of bounds", "overflow"])
  func theNextStartWritesTheRestAfterATrap(way: String) throws {
    let run = try StormRun()
    let child = try run.start("end", way)
    let ending = child.wait()
    #expect([.signal(SIGILL), .signal(SIGTRAP)].contains(ending), "\(ending), \(child.errors)")
    try checkNextStart(run, child.pid, expected: Self.before(100))
  }

  /// The destructors of libraries run after the library has said goodbye: their records wait for the next start.
  @Test func aDestructorsRecordWaitsForTheNextStart() throws {
    let run = try StormRun()
    let child = try run.start("end", "destructor")
    #expect(child.wait() == .exit(0), "\(child.errors)")
    try checkNextStart(run, child.pid, expected: Self.before(100) + ["destructor"])
    let streams = try Set(run.records().filter { $0.integer("pid") == Int(child.pid) }.compactMap(\.stream))
    #expect(streams.count == 2, "the ring file of the afterlife is its own")
  }

  @Test func threadDestructorsLog() throws {
    let run = try StormRun()
    try run.finish("end", "thread destructor")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    let messages = account.records.compactMap(\.msg)
    for round in 1...3 { #expect(messages.filter { $0 == "destructor, round \(round)" }.count == 10) }
    #expect(account.rings.count <= 3, "threads one after the other share rings, though their destructors log")
    #expect(run.ringFiles == [])
  }

  /// The program that takes the place of another is its next start, if it is the same program.
  @Test func execLeavesTheRecordsToTheNewProgram() throws {
    let run = try StormRun()
    let child = try run.start("end", "exec")
    #expect(child.wait() == .exit(0), "\(child.errors)")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    #expect(account.records.compactMap(\.msg).sorted() == (Self.before(100) + Self.before(7)).sorted())
    #expect(account.processes.count == 2 && Set(account.records.compactMap { $0.integer("pid") }) == [Int(child.pid)])
    #expect(run.ringFiles == [])
  }

  @Test func aSpawnedChildLogsForItself() throws {
    let run = try StormRun()
    let child = try run.start("end", "posix_spawn")
    #expect(child.wait() == .exit(0), "\(child.errors)")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    let (own, others) = account.records.partitioned { $0.integer("pid") == Int(child.pid) }
    #expect(own.compactMap(\.msg) == Self.before(100) + (0..<10).map { "meanwhile \($0)" } + ["afterwards"])
    #expect(others.compactMap(\.msg) == Self.before(7))
    #expect(run.ringFiles == [])
  }

  @Test func aDaemonLogsOn() throws {
    let run = try StormRun()
    let child = try run.start("end", "daemon")
    #expect(child.wait() == .exit(0), "\(child.errors)")
    // Its standard output is closed when the last of the three is gone.
    #expect(child.readAll() == "")
    // The process between the two left by _exit.
    try run.finish("end", "return", "1")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    let messages = account.records.compactMap(\.msg)
    #expect(messages.sorted() == (Self.before(100) + ["between"] + Self.before(1) + Self.daemon).sorted())
    let daemon = Set(account.records.filter { $0.msg?.hasPrefix("daemon") == true }.compactMap { $0.integer("pid") })
    #expect(daemon.count == 1 && daemon != [Int(child.pid)])
    #expect(run.ringFiles == [])
  }

  /// Only root may change its root. What was opened before goes on; the name of the ring file is out of reach, and the next start removes it.
  @Test func anotherRootChangesNothing() throws {
    guard geteuid() == 0 else { return print("not run: chroot needs root") }
    let run = try StormRun()
    let child = try run.start("end", "chroot", "100", run.directory.path)
    #expect(child.wait() == .exit(0), "\(child.errors)")
    let inside = (0..<10).map { "inside \($0)" } + ["inside on a new thread"]
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    #expect(account.records.compactMap(\.msg) == Self.before(100) + inside)
    #expect(run.ringFiles.count == 1)
    try run.finish("end", "return", "1")
    let after = try StreamAccount(run.records())
    #expect(after.faults == [], "nothing is written a second time")
    #expect(after.records.count == account.records.count + 1)
    #expect(run.ringFiles == [])
  }

  /// A program whose root has no /dev/shm, and where none can be made.
  @Test func withoutSharedMemoryLoggingGoesOn() throws {
    let run = try StormRun(["TREERING_DIR": "/proc/treering"])
    let child = try run.start("end", "return")
    #expect(child.wait() == .exit(0))
    let lines = child.errors.split(separator: "\n")
    #expect(lines.count == 1 && lines.first?.contains("will not survive a crash") == true, "\(lines)")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [] && account.records.compactMap(\.msg) == Self.before(100))
  }

  /// The kernel's own killer, in a cgroup of the test's own.
  @Test func theNextStartWritesTheRestAfterTheOOMKiller() throws {
    let group: MemoryCgroup
    do { group = try MemoryCgroup(megabytes: 64) } catch { return print("not run: OOM kill: \(error)") }
    let run = try StormRun()
    let child = try ChildProcess(
      "/bin/sh",
      ["-c", "echo $$ > \(group.processes) && exec \(BuiltProducts.program("LogStorm")) end 'out of memory'"],
      environment: run.environment, errors: run.directory.file("errors"))
    #expect(child.readLine() == "ready", "\(child.errors)")
    #expect(child.wait() == .signal(SIGKILL), "\(child.errors)")
    try checkNextStart(run, child.pid, expected: Self.before(100))
  }

  // MARK: what is there

  private static func before(_ count: Int) -> [String] { (0..<count).map { "before \($0)" } }
  private static let daemon = (0..<20).map { "daemon \($0)" }

  /// The program starts again, for one record: then every record of the first run is there once, what came late is marked, and nothing is left.
  private func checkNextStart(_ run: StormRun, _ pid: pid_t, expected: [String]) throws {
    #expect(run.ringFiles.count == 1)
    let written = (try? run.records().count) ?? 0
    try run.finish("end", "return", "1")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    let first = account.records.filter { $0.integer("pid") == Int(pid) }
    #expect(first.compactMap(\.msg) == expected)
    let all = try run.records()
    #expect(all[..<written].allSatisfy { $0["treering.recovered"] == nil })
    let late = all[written...].filter { $0.integer("pid") == Int(pid) }
    #expect(!late.isEmpty && late.allSatisfy { $0["treering.recovered"] as? Bool == true }, "\(late)")
    #expect(all[written...].filter { $0.integer("pid") != Int(pid) }.allSatisfy { $0["treering.recovered"] == nil })
    #expect(run.ringFiles == [])
  }
}

extension JSONRecord {
  /// The process's stream, which `ring` begins with.
  fileprivate var stream: String? { self.ring.map { String($0.prefix { $0 != "." }) } }
}

extension Array {
  fileprivate func partitioned(_ isFirst: (Element) -> Bool) -> ([Element], [Element]) {
    (filter(isFirst), filter { !isFirst($0) })
  }
}
