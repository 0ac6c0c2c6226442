import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// What a log call asks of the kernel: nothing.
@Suite struct SystemCallTests {
  private static let calls = 1_000_000

  /// The system calls of the thread that logs, between the first and the last of so many calls; nil where strace(1) cannot trace.
  private func trace(_ run: StormRun) throws -> [Substring]? {
    let trace = run.directory.file("trace")
    // Without `-f` only the first thread is traced.
    let child = try ChildProcess(
      "/usr/bin/strace", ["-o", trace, BuiltProducts.program("LogStorm"), "loop", "\(Self.calls)"],
      environment: run.environment, errors: run.directory.file("errors"))
    guard child.readLine() == "loop begins" else {
      print("not run: strace cannot trace here: \(child.errors.prefix(100))")
      return nil
    }
    #expect(child.readLine() == "loop ends")
    #expect(child.wait() == .exit(0), "\(child.errors)")
    let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
    let begin = try #require(lines.firstIndex { $0.contains("loop begins") })
    let end = try #require(lines.firstIndex { $0.contains("loop ends") })
    return Array(lines[(begin + 1)..<end])
  }

  /// Nobody drains, so nobody sleeps who would have to be woken. The ring holds a part of the records; the calls behind it drop theirs, and ask nobody either.
  @Test func aMillionCallsMakeNoSystemCall() throws {
    let run = try StormRun(["TREERING_WRITER": "external", "TREERING_RING_SIZE": "32MiB"])
    guard let calls = try trace(run) else { return }
    #expect(calls == [])
    let path = try #require(run.ringFiles.first.map { run.directory.file("rings/\($0)") })
    let survey = try RingSurvey(path: path)
    #expect(survey.committed > 100_000 && Int(survey.committed + survey.dropped) == Self.calls + 1000)
  }

  /// With a writer the thread may have to wake it: when it has parked because this thread had no turn for some milliseconds, and at no other time.
  @Test func aMillionCallsWakeAWriterAtMost() throws {
    let run = try StormRun(["TREERING_SINK": "null:"])
    guard let calls = try trace(run) else { return }
    #expect(calls.filter { !$0.hasPrefix("futex(") } == [])
    #expect(calls.count < Self.calls / 1000, "\(calls.count) wakes")
  }
}
