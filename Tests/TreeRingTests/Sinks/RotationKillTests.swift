import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// SIGKILL at a random moment while files are put aside and compressed: is every record in one of them, once?
///
/// `TREERING_KILLS` is the number of kills.
@Suite(.serialized) struct RotationKillTests {
  private let kills = environment("TREERING_KILLS", default: 20)
  private let threads = 4

  @Test(arguments: ["gzip", "zstd"])
  func everyRecordIsInOneOfTheFilesOnce(compression: String) throws {
    var random = SeededGenerator("kill while rotating")
    var settlements: [String: Int] = [:]
    var rotations = 0
    var partial = 0
    for _ in 0..<max(kills / 2, 1) {
      var run = try StormRun()
      run.environment["TREERING_SINK"] = "file:\(run.log)?rotate=100KB&compress=\(compression)"
      try run.kill(threads: threads, afterMicroseconds: .random(in: 0..<60_000, using: &random))
      partial += run.directory.names(in: ".").count { $0.hasSuffix(".part") }
      for settlement in try run.recover() { settlements[settlement, default: 0] += 1 }
      let log = RotatedLog(directory: run.directory, base: "log")
      try finish(log, run.log, compression)
      rotations += try log.names().count - 1
      try run.checkStorm(StreamAccount(log.records()), threads: threads, seed: random.seed)
    }
    #expect(rotations > 0, "nothing was put aside: this proves nothing, seed \(random.seed)")
    print("killed: \(settlements), \(rotations) files put aside, \(partial) compressions cut off")
  }

  /// What the next start does, without waiting for its thread in the background.
  private func finish(_ log: RotatedLog, _ path: String, _ compression: String) throws {
    let rotation = FileRotation(size: 100_000, compression: .init(rawValue: compression))
    let chore = try #require(try FileChore(path: path, rotation: rotation))
    let isDone = try (0..<2000).contains { _ in
      try chore.run(Syscalls.now(CLOCK_REALTIME)) {}
      // Recovery's own sinks have a thread at it as well: what it has in hand, the chore leaves to it.
      let names = log.directory.names(in: ".").compactMap { RotatedName($0, base: log.base)?.form }
      if names.allSatisfy({ $0 != .plain && $0 != .partial }) { return true }
      usleep(5000)
      return false
    }
    #expect(isDone, "\(log.directory.names(in: "."))")
  }

  /// Killed again and again, and started again: each run finds what the one before left.
  @Test func oneLogOverManyLives() throws {
    var random = SeededGenerator("many lives")
    var run = try StormRun()
    run.environment["TREERING_SINK"] = "file:\(run.log)?rotate=100KB&compress=gzip"
    var streams = 0
    for _ in 0..<max(kills / 4, 2) {
      try run.kill(threads: threads, afterMicroseconds: .random(in: 0..<40_000, using: &random))
      try run.recover()
      streams += 1
    }
    let log = RotatedLog(directory: run.directory, base: "log")
    try finish(log, run.log, "gzip")
    let account = try StreamAccount(log.records())
    #expect(account.faults == [], "seed \(random.seed)")
    #expect(account.processes.count == streams)
  }

  /// The same without recovery in between: each start takes over what its predecessors left, puts files aside, and is killed in the middle of that.
  @Test func eachLifeTakesUpTheLast() throws {
    var random = SeededGenerator("lives that follow")
    var run = try StormRun()
    run.environment["TREERING_SINK"] = "file:\(run.log)?rotate=100KB&compress=gzip"
    let lives = max(kills / 4, 2)
    for _ in 0..<lives {
      try run.kill(threads: threads, afterMicroseconds: .random(in: 0..<60_000, using: &random))
    }
    try run.recover()
    let log = RotatedLog(directory: run.directory, base: "log")
    try finish(log, run.log, "gzip")
    let account = try StreamAccount(log.records())
    #expect(account.faults == [], "seed \(random.seed)")
    #expect(account.processes.count == lives)
  }
}
