import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// SIGKILL at an exact system call of a rotation: strace delivers it when a thread enters the n-th call of a kind, which then does not happen.
///
/// A random moment rarely falls between a rename and the opening of the new file; here each gap between two calls gets its turn.
/// `TREERING_KILLS` is the number of kills of the random part.
@Suite(.serialized) struct CrashPointTests {
  private let threads = 2

  /// Runs the storm until it is killed at that point. False when it came to its end first, or not even to its first record.
  private func kill(_ run: StormRun, at calls: String, _ number: Int, records: Int = 8000) throws -> Bool {
    let arguments = [
      "-f", "-qqq", "-o", "/dev/null", "-e", "trace=\(calls)", "-e", "inject=\(calls):signal=KILL:when=\(number)",
      BuiltProducts.program("LogStorm"), "\(threads)", "\(records)", run.progressFile,
    ]
    let child = try ChildProcess(
      "/usr/bin/strace", arguments, environment: run.environment, errors: run.directory.file("errors"))
    let output = child.readAll()
    let ending = child.wait()
    #expect(ending == .exit(0) || ending == .signal(SIGKILL), "\(ending) \(child.errors)")
    return ending != .exit(0) && output.contains("ready")
  }

  private func storm(_ compression: String = "gzip") throws -> StormRun {
    var run = try StormRun()
    run.environment["TREERING_SINK"] = "file:\(run.log)?rotate=100KB&compress=\(compression)"
    run.environment["TREERING_RING_SIZE"] = "16MiB"
    return run
  }

  /// Recovery and what the next start does; then every record is in one of the files, once.
  @discardableResult
  private func check(_ run: StormRun, _ point: String, seed: UInt64) throws -> [String] {
    let settlements = try run.recover()
    let log = RotatedLog(directory: run.directory, base: "log")
    let rotation = FileRotation(size: 100_000, compression: .gzip)
    let chore = try #require(try FileChore(path: run.log, rotation: rotation))
    let isDone = try (0..<2000).contains { _ in
      try chore.run(Syscalls.now(CLOCK_REALTIME)) {}
      let forms = run.directory.names(in: ".").compactMap { RotatedName($0, base: "log")?.form }
      if forms.allSatisfy({ $0 != .plain && $0 != .partial }) { return true }
      usleep(5000)
      return false
    }
    #expect(isDone, "\(point): \(run.directory.names(in: "."))")
    let account = try StreamAccount(log.records())
    #expect(account.faults == [], "\(point)")
    try run.checkStorm(account, threads: threads, seed: seed)
    return settlements
  }

  /// The calls that only a rotation and a compression make, one by one.
  @Test(arguments: ["renameat2", "fsync", "unlink", "fchmod", "utimensat", "write"])
  func everyCallOfARotation(call: String) throws {
    var killed = 0
    for number in 1...4 {
      let run = try storm()
      guard try kill(run, at: call, number) else { continue }
      killed += 1
      try check(run, "\(call) \(number)", seed: 0)
    }
    #expect(killed > 0, "\(call) was never reached")
  }

  /// Killed between the writes to two files: the batch is in one of them, and comes to both once.
  @Test func twoFilesAgree() throws {
    var settlements: [String] = []
    for number in 2...7 {
      var run = try StormRun()
      run.environment["TREERING_SINK"] = "file:\(run.log)?rotate=100KB file:\(run.log).2"
      run.environment["TREERING_RING_SIZE"] = "16MiB"
      guard try kill(run, at: "write", number) else { continue }
      settlements += try run.recover()
      for records in [
        try RotatedLog(directory: run.directory, base: "log").records(), try JSONRecord.read(run.log + ".2"),
      ] {
        let account = StreamAccount(records)
        #expect(account.faults == [], "write \(number)")
        try run.checkStorm(account, threads: threads, seed: 0)
      }
    }
    #expect(settlements.contains("undone"), "\(settlements)")
  }

  /// Any call of a batch or a rotation, somewhere in the writer's life.
  @Test func anyCall() throws {
    var random = SeededGenerator("kill at a call")
    // Those that a start hardly makes: else it would be the start that is killed.
    let calls = "write,fcntl,renameat2,statx,fchmod"
    var killed = 0
    var settlements: [String: Int] = [:]
    for _ in 0..<max(environment("TREERING_KILLS", default: 20) / 2, 1) {
      let number = Int.random(in: 10...80, using: &random)
      let run = try storm()
      guard try kill(run, at: calls, number) else { continue }
      killed += 1
      for settlement in try check(run, "call \(number)", seed: random.seed) { settlements[settlement, default: 0] += 1 }
    }
    #expect(killed > 0, "none was killed: this proves nothing")
    if killed > 40 { #expect(settlements.count > 1, "no batch was on its way at any kill, seed \(random.seed)") }
    print("killed \(killed) times at a call: \(settlements)")
  }
}
