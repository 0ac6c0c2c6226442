import Foundation
import Glibc
import LogShipper
import TestSupport
import Testing

/// The way from the rings of a real program into an archive, and its ends.
@Suite(.timeLimit(.minutes(3))) struct PipelineTests {
  private let directory: TemporaryDirectory
  private let complaints = Locked<[String]>([])

  init() throws { directory = try TemporaryDirectory() }

  private var rings: String { directory.file("rings") }
  private var archive: String { directory.file("data/archive/all.ndjson") }

  private func pipeline() throws -> Pipeline {
    let configuration = ShipperConfiguration(
      dataDirectory: directory.file("data"), inputs: [.init(name: "app", directory: rings)],
      outputs: [.init(name: "archive", path: "archive/all.ndjson")])
    return try Pipeline(configuration) { [complaints] line in complaints.withLock { $0.append(line) } }
  }

  /// Logs to a collector; without a number of records, until it is killed.
  private func storm(_ arguments: String...) throws -> ChildProcess {
    try ChildProcess(
      "LogStorm", arguments,
      environment: ["TREERING_DIR": rings, "TREERING_WRITER": "external", "TREERING_LEVEL": "info"])
  }

  private func verify(live: Bool = false) -> (code: Int32, last: String) {
    var last = ""
    let code = Verification.run(
      paths: [archive], live: live, json: false, print: { last = $0 }, complain: { last = $0 })
    return (code, last)
  }

  private func waitUntil(_ condition: () -> Bool) {
    for _ in 0..<6000 where !condition() { usleep(10_000) }
    #expect(condition())
  }

  private var archiveSize: Int {
    (try? FileManager.default.attributesOfItem(atPath: archive)[.size] as? Int) ?? 0
  }

  /// A program that logs faster than anybody can write must not keep the daemon from stopping.
  @Test func stopsThoughAProgramLogsWithoutPause() throws {
    let thread = try pipeline().start()
    let endless = try storm("4")
    waitUntil { archiveSize > 1 << 20 }
    #expect(thread.finish())
    let live = verify(live: true)
    #expect(live.code == 0, "\(live.last)")
    endless.kill(SIGKILL)
    endless.wait()
    // What came after the stop, the next collector delivers.
    #expect(try pipeline().start().finish())
    let whole = verify()
    #expect(whole.code == 0, "\(whole.last)")
    #expect(complaints.withLock { $0 } == [])
  }

  @Test func anOutputThatRefusesKeepsRecordsInTheirRings() throws {
    let thread = try pipeline().start()
    try FileManager.default.removeItem(atPath: archive)
    try FileManager.default.createDirectory(atPath: archive, withIntermediateDirectories: false)
    #expect(try storm("2", "100").wait() == .exit(0))
    waitUntil { !complaints.withLock { $0 }.isEmpty }
    #expect(thread.finish() == false)
    let said = complaints.withLock { $0 }
    #expect(said == ["cannot write to file:\(archive): Is a directory; records wait in their rings"])
    #expect(directory.names(in: "rings").count == 1)
    try FileManager.default.removeItem(atPath: archive)
    #expect(try pipeline().start().finish())
    let whole = verify()
    #expect(whole.code == 0 && whole.last.hasPrefix("emitted 202 delivered 202 "), "\(whole.last)")
    #expect(directory.names(in: "rings") == [])
  }

  @Test func aRingFileThatCannotBeOpenedNowIsTriedAgain() throws {
    #expect(try storm("1", "10").wait() == .exit(0))
    let name = try #require(directory.names(in: "rings").first { $0.hasSuffix(".ring") })
    let (path, aside) = (rings + "/" + name, directory.file("aside"))
    try FileManager.default.moveItem(atPath: path, toPath: aside)
    // A socket: nobody can open it, not even root.
    #expect(unsafe mknod(path, S_IFSOCK | 0o600, 0) == 0)
    let thread = try pipeline().start()
    waitUntil { !complaints.withLock { $0 }.isEmpty }
    // Several rounds: told once.
    usleep(500_000)
    let reason = "cannot open the ring file \(path): No such device or address; tried again"
    #expect(complaints.withLock { $0 } == [reason])
    // In one step, so that no round finds nothing: the file is tried again because it failed, not because it is new.
    #expect(unsafe rename(aside, path) == 0)
    waitUntil { archiveSize > 0 }
    #expect(thread.finish())
    #expect(verify().code == 0)
    #expect(complaints.withLock { $0 } == [reason])
  }
}
