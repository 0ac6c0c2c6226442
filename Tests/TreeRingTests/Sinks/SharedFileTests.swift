import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Several processes, one file.
@Suite(.serialized) struct SharedFileTests {
  private let processes = 3
  private let records = 4000

  private func storm(_ run: StormRun, _ number: Int, _ sink: String, _ records: Int) throws -> ChildProcess {
    var environment = run.environment
    environment["TREERING_SINK"] = sink
    environment["TREERING_RING_SIZE"] = "16MiB"
    return try ChildProcess(
      "LogStorm", ["2", "\(records)", run.directory.file("progress.\(number)")], environment: environment,
      errors: run.directory.file("errors"))
  }

  /// No torn line, nothing lost, nothing twice, whoever puts the file aside, and the ring's order kept from file to file.
  @Test(arguments: ["", "?rotate=100KB", "?rotate=100KB&compress=gzip", "?sync=batch"])
  func everyRecordOfEachIsThereOnce(options: String) throws {
    let run = try StormRun()
    let children = try (0..<processes).map { try storm(run, $0, "file:\(run.log)\(options)", records) }
    for child in children {
      _ = child.readAll()
      #expect(child.wait() == .exit(0), "\(child.errors)")
      #expect(child.errors == "")
    }
    let log = RotatedLog(directory: run.directory, base: "log")
    let account = try StreamAccount(log.records())
    #expect(account.faults == [])
    #expect(account.processes.count == processes)
    #expect(account.records.count == processes * (2 * records + 1))
    let put = try log.names().count - 1
    #expect(options.contains("rotate") ? put > 5 : put == 0, "\(put) files put aside")
    for name in try log.names().dropLast() {
      let first = try #require(try log.lines(name).first)
      #expect(try JSONRecord(line: first).ring != nil, "each file begins with a whole line")
    }
  }

  /// One of them is killed in the storm: the others' lines stay whole, and nothing is lost; its last batch may be there twice, or in part, on lines of their own.
  @Test func aKilledOneHarmsNoOther() throws {
    var random = SeededGenerator("kill one of three")
    for _ in 0..<max(environment("TREERING_KILLS", default: 20) / 5, 1) {
      let run = try StormRun()
      let sink = "file:\(run.log)?rotate=100KB"
      let others = try (1..<processes).map { try storm(run, $0, sink, records) }
      let victim = try storm(run, 0, sink, .max)
      #expect(victim.readLine() == "ready", "\(victim.errors)")
      usleep(.random(in: 0..<40_000, using: &random))
      victim.kill(SIGKILL)
      victim.wait()
      for child in others {
        _ = child.readAll()
        #expect(child.wait() == .exit(0), "\(child.errors)")
      }
      try run.recover()
      let log = RotatedLog(directory: run.directory, base: "log")
      try check(log.lines(), victim.pid, seed: random.seed)
    }
  }

  private func check(_ lines: [String], _ victim: pid_t, seed: UInt64) throws {
    let read = lines.map { try? JSONRecord(line: $0) }
    // At most one fragment: of the batch in which it was killed.
    #expect(read.count { $0 == nil } <= 1, "seed \(seed)")
    let records = read.compactMap { $0 }
    let othersAccount = StreamAccount(records.filter { $0.integer("pid") != Int(victim) })
    #expect(othersAccount.faults == [], "seed \(seed)")
    #expect(othersAccount.records.count == (processes - 1) * (2 * self.records + 1), "seed \(seed)")
    var seen: Set<String> = []
    let once = records.filter { record in
      guard record.integer("pid") == Int(victim) else { return false }
      guard let ring = record.ring, let number = record.integer("seq") else { return true }
      return seen.insert("\(ring) \(number)").inserted
    }
    let account = StreamAccount(once)
    #expect(account.faults == [], "seed \(seed)")
  }

  /// The one that logs rarely follows, too, and what it still has open is neither compressed nor removed under it.
  @Test func aSlowOneFollows() throws {
    let run = try StormRun()
    let sink = "file:\(run.log)?rotate=4096&compress=gzip&keep=2"
    var environment = run.environment
    environment["TREERING_SINK"] = sink
    let signals = run.directory.file("go")
    let slow = try ChildProcess("LogStorm", ["steps", signals, "1"], environment: environment)
    #expect(slow.readLine() == "step 0")
    let busy = try ChildProcess("LogStorm", ["steps", run.directory.file("busy"), "100"], environment: environment)
    for step in 0..<6 {
      #expect(busy.readLine() == "step \(step)")
      try touch(run.directory.file("busy.\(step)"))
    }
    #expect(busy.readLine() == "step 6")
    let log = RotatedLog(directory: run.directory, base: "log")
    // The first file is one too many long ago, and compressed it would be whole; but the slow one may still write to it.
    let plain = run.directory.names(in: ".").filter { RotatedName($0, base: "log")?.form == .plain }
    let first = try #require(plain.first)
    #expect(try log.lines(first).contains { $0.contains("\"pid\":\(slow.pid),") })
    try touch(run.directory.file("go.0"))
    #expect(slow.readLine() == "step 1")
    let last = try log.lines("log").filter { $0.contains("\"pid\":\(slow.pid),") }
    #expect(last.count == 1, "its next line is in the file that is there now")
    for file in ["go.end", "busy.end"] { try touch(run.directory.file(file)) }
    #expect(slow.wait() == .exit(0) && busy.wait() == .exit(0))
  }

  private func touch(_ path: String) throws {
    close(try Syscalls.open(path, O_WRONLY | O_CREAT))
  }
}
