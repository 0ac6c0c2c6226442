import CTreeRing
import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// A ring directory on a small tmpfs, as a container's /dev/shm is one. The tmpfs is mounted in a mount namespace of the program's own, so it is gone with it.
@Suite struct SmallMemoryTests {
  /// Runs LogStorm with its rings on a tmpfs of `kilobytes`; nil where no such namespace can be made, which is told.
  private func run(_ arguments: String..., kilobytes: Int, _ variables: [String: String] = [:]) throws -> StormRun? {
    let run = try StormRun(variables)
    let rings = run.directory.file("rings")
    unsafe mkdir(rings, 0o700)
    let mount = "mount -t tmpfs -o size=\(kilobytes)k,mode=0700 none '\(rings)'"
    let probe = try ChildProcess("/usr/bin/unshare", ["-m", "sh", "-c", mount], environment: [:])
    guard probe.wait() == .exit(0) else {
      print("not run: a small tmpfs: unshare(1) cannot make a mount namespace here")
      return nil
    }
    let program = BuiltProducts.program("LogStorm")
    let child = try ChildProcess(
      "/usr/bin/unshare", ["-m", "sh", "-c", "\(mount) && exec '\(program)' \"$@\"", "sh"] + arguments,
      environment: run.environment, errors: run.directory.file("errors"))
    let output = child.readAll()
    #expect(child.wait() == .exit(0), "\(child.errors)")
    try output.write(toFile: run.directory.file("output"), atomically: false, encoding: .utf8)
    return run
  }

  private func errors(_ run: StormRun) throws -> [Substring] {
    try String(contentsOfFile: run.directory.file("errors"), encoding: .utf8).split(separator: "\n")
  }

  /// 300 KiB hold a header and a ring of 128 KiB, not of 256.
  @Test func aSmallerRingIsTaken() throws {
    guard let run = try run("1", "200", kilobytes: 300) else { return }
    let lines = try errors(run)
    #expect(lines.count == 1 && lines.first?.contains("rings have 131072") == true, "\(lines)")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
  }

  /// Not even a ring of 64 KiB: private memory, and one line.
  @Test func privateMemoryIsTaken() throws {
    guard let run = try run("1", "200", kilobytes: 100) else { return }
    let lines = try errors(run)
    #expect(lines.count == 1, "\(lines)")
    #expect(lines.first?.contains("No space left") == true && lines.first?.contains("private memory") == true)
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    #expect(account.records.count == 201)
  }

  /// Room for two rings and six threads that live at once: the calls of four find no ring, are counted, and told. When a ring is free again, it is used.
  @Test func threadsWithoutARingAreCountedAndTold() throws {
    guard let run = try run("crowd", "6", kilobytes: Int(TR_HEADER_SIZE + TR_SITES_STEP) / 1024 + 2 * 260 + 40) else {
      return
    }
    #expect(try errors(run) == [], "a full file system is told in the stream")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    #expect(account.lost > 0)
    let output = try String(contentsOfFile: run.directory.file("output"), encoding: .utf8)
    let numbers = output.split { !$0.isNumber }.compactMap { Int($0) }
    // Each of the eight threads tries for a slot again and again; what one gives back is used by the next.
    #expect(try #require(numbers.first) <= 8, "slots: \(output)")
    #expect(numbers.last == account.lost, "the program's own counters know them: \(output)")
    let told = account.records.count(where: { $0.msg?.hasPrefix("crowd") == true })
    #expect(told + account.lost == 6 * 100, "\(told) records and \(account.lost) calls without a ring")
    #expect(account.records.contains { $0.msg == "after the crowd" })
  }
}
