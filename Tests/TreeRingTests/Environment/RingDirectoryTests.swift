import Foundation
import TestSupport
import Testing

@testable import TreeRing

/// Where rings are put, and where not: whoever can write there could put records into our logs.
@Suite struct RingDirectoryTests {
  private func refusal(_ directory: String) -> String {
    do throws(LogError) {
      try RingDirectory.prepare(directory)
      return ""
    } catch {
      return error.description
    }
  }

  @Test func aMissingOneIsMadeForItsOwnerOnly() throws {
    let directory = try TemporaryDirectory()
    #expect(refusal(directory.file("a/b/rings")) == "")
    for name in ["a", "a/b", "a/b/rings"] {
      #expect(try Syscalls.status(ofPath: directory.file(name)).st_mode & 0o777 == 0o700)
    }
  }

  @Test(arguments: [0o755, 0o770, 0o701, 0o707, 0o740] as [mode_t])
  func oneThatIsOpenToOthersIsRefused(mode: mode_t) throws {
    let directory = try TemporaryDirectory()
    let rings = directory.file("rings")
    #expect(refusal(rings) == "")
    unsafe chmod(rings, mode)
    let line = refusal(rings)
    #expect(line.contains(rings) && line.contains("chmod 700"), "\(line)")
  }

  /// Who follows the advice must not close a directory that others live in.
  @Test func nobodyIsToldToCloseAPlaceThatOthersShare() throws {
    let directory = try TemporaryDirectory()
    unsafe chmod(directory.path, 0o1777)
    let line = refusal(directory.path)
    #expect(line.contains("\(directory.path)/treering") && !line.contains("chmod"), "\(line)")
  }

  @Test func aSymbolicLinkIsRefused() throws {
    let directory = try TemporaryDirectory()
    #expect(refusal(directory.file("real")) == "")
    unsafe symlink(directory.file("real"), directory.file("link"))
    // With a slash behind it the kernel would show where it leads.
    for name in ["link", "link/", "link//"] { #expect(refusal(directory.file(name)).contains("symbolic link")) }
    #expect(refusal(directory.file("real/")) == "")
    unsafe symlink(directory.file("nowhere"), directory.file("dangling"))
    #expect(refusal(directory.file("dangling")).contains(directory.file("dangling")))
    #expect(!FileManager.default.fileExists(atPath: directory.file("nowhere")))
  }

  @Test func aFileIsRefused() throws {
    let directory = try TemporaryDirectory()
    try Data().write(to: URL(fileURLWithPath: directory.file("file")))
    #expect(refusal(directory.file("file")).contains("not a directory"))
    #expect(refusal(directory.file("file/rings")).contains("TREERING_DIR"), "says what to do")
  }

  /// Root may read a user's rings, but puts its own nowhere else. Only root can make a directory of somebody else.
  @Test(.enabled(if: geteuid() == 0)) func anotherUsersIsRefused() throws {
    let directory = try TemporaryDirectory()
    let rings = directory.file("rings")
    #expect(refusal(rings) == "")
    unsafe #expect(chown(rings, 65_534, 65_534) == 0)
    #expect(throws: LogError.self) {
      try RingFile.make(directory: rings, program: "x", ringSize: 65_536, mode: 0, consumes: false)
    }
  }

  /// A program whose directory is refused says so in one line, runs on, and logs.
  @Test func aProgramGoesOnWithoutItsDirectory() throws {
    var run = try StormRun()
    unsafe mkdir(run.directory.file("open"), 0o755)
    unsafe chmod(run.directory.file("open"), 0o755)
    run.environment["TREERING_DIR"] = run.directory.file("open")
    let child = try run.start("1", "10")
    #expect(child.wait() == .exit(0))
    let lines = child.errors.split(separator: "\n")
    #expect(lines.count == 1, "\(lines)")
    #expect(lines.first?.contains("chmod 700") == true && lines.first?.contains("will not survive a crash") == true)
    let account = try StreamAccount(run.records())
    #expect(account.faults == [] && account.records.count == 11)
  }

  @Test func aProgramGoesOnWithoutItsSink() throws {
    var run = try StormRun()
    run.environment["TREERING_SINK"] = "file:\(run.directory.file("missing/log"))"
    let child = try run.start("1", "10")
    #expect(child.wait() == .exit(0))
    let lines = child.errors.split(separator: "\n").map(String.init)
    #expect(lines.first?.contains(run.directory.file("missing/log")) == true)
    let account = try StreamAccount(lines.dropFirst().map { try JSONRecord(line: $0) })
    #expect(account.faults == [] && account.records.count == 11)
  }
}
