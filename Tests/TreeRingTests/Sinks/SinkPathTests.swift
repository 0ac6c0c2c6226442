import CTreeRing
import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Where a path leads that was given relative to the working directory, and what a ring file remembers of the sinks.
@Suite struct SinkPathTests {
  @Test func relativePathsAreMadeAbsolute() throws {
    let sinks = try #require(
      SinkConfiguration.parse(list: "file:logs/a.log?rotate=1MB fifo:a.fifo stderr: exec:./reader b c"))
    let configuration = LogConfiguration(sinks: sinks, directory: "rings").anchored(at: "/srv/shop")
    #expect(
      configuration.sinks.map(\.url) == [
        "file:/srv/shop/logs/a.log?rotate=1000000", "fifo:/srv/shop/a.fifo", "stderr:", "exec:/srv/shop/./reader b c",
      ])
    #expect(configuration.directory == "/srv/shop/rings")
  }

  @Test func whatIsAbsoluteOrHasNoPathStays() throws {
    let sinks = try #require(SinkConfiguration.parse(list: "file:/a.log syslog: null: exec:cat -n"))
    for directory in ["/", "/srv", nil] {
      let configuration = LogConfiguration(sinks: sinks, directory: "/rings").anchored(at: directory)
      #expect(configuration.sinks == sinks && configuration.directory == "/rings")
    }
    #expect(LogConfiguration(sinks: [.file("a")]).anchored(at: "/").sinks == [.file("/a")])
    #expect(LogConfiguration(sinks: [.file("a")]).anchored(at: nil).sinks == [.file("a")])
  }

  /// Killed in one directory, recovered from another.
  @Test func aRelativeFileIsRecoveredWhereItWasWritten() throws {
    let directory = try TemporaryDirectory()
    let child = try ChildProcess(
      "/usr/bin/env", ["-C", directory.path, BuiltProducts.program("LogStorm"), "steps", directory.file("go"), "50"],
      environment: ["TREERING_DIR": "rings", "TREERING_SINK": "file:log"], errors: directory.file("errors"))
    #expect(child.readLine() == "step 0", "\(child.errors)")
    child.kill(SIGKILL)
    child.wait()
    for path in try RingDirectory.files(in: directory.file("rings")) {
      #expect(try Recovery(fallback: MemorySink()).recover(path) != .alive)
    }
    let account = try StreamAccount(JSONRecord.read(directory.file("log")))
    #expect(account.faults == [] && account.records.count == 50)
  }

  // MARK: what the ring file remembers

  private func files(_ count: Int, bytes: Int) -> [SinkConfiguration] {
    (0..<count).map { .file("/\($0)" + String(repeating: "n", count: bytes - 7)) }
  }

  @Test func aListThatFitsIsKeptWhole() throws {
    let sinks = files(2, bytes: 100) + [.exec(["lnav", "-q"])]
    let list = try #require(SinkConfiguration.list(of: sinks, within: 100 + 1 + 100 + 1 + 12))
    #expect(SinkConfiguration.parse(list: list) == sinks)
  }

  /// A long command line costs nothing: recovery needs files, in their places.
  @Test func whereTheRoomIsShortOnlyFilesAreKept() throws {
    let sinks = [SinkConfiguration.exec(["sh", "-c", String(repeating: "x", count: 3000)])] + files(1, bytes: 100)
    let list = try #require(SinkConfiguration.list(of: sinks, within: 2047))
    #expect(SinkConfiguration.parse(list: list) == [.null] + sinks.dropFirst())
  }

  @Test func filesThatDoNotFitAreNoList() {
    #expect(SinkConfiguration.list(of: files(2, bytes: 100), within: 201) != nil)
    #expect(SinkConfiguration.list(of: files(2, bytes: 100), within: 200) == nil)
  }

  /// Names that are too long together are told, and a program that starts from its environment logs into them all the same.
  @Test func aListThatIsTooLongIsTold() throws {
    let directory = try TemporaryDirectory()
    let names = (0..<4).map { directory.file("\($0)" + String(repeating: "n", count: 240)) }
    let labels = String(repeating: "label,", count: 60) + "storm"
    let child = try ChildProcess(
      "LogStorm", ["1", "10"],
      environment: [
        "TREERING_DIR": directory.file("rings"),
        "TREERING_SINK": names.map { "file:\($0)?labels=\(labels)" }.joined(separator: " "),
      ], errors: directory.file("errors"))
    _ = child.readAll()
    #expect(child.wait() == .exit(0))
    let lines = child.errors.split(separator: "\n")
    #expect(lines.count == 1 && lines[0].contains("2047"), "\(lines)")
    for name in names { #expect(try StreamAccount(JSONRecord.read(name)).records.count == 11) }
  }
}
