import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Destinations that are not what they seem, and programs that were started in an unusual way.
@Suite struct OddDestinationTests {
  /// Whoever writes to a socket's path gets the same error as for a FIFO without a reader; but there will never be one.
  @Test func aSocketIsNoFIFO() throws {
    let directory = try TemporaryDirectory()
    let journal = try MockJournal(directory.file("socket"))
    let error = #expect(throws: LogError.self) { _ = try FIFOSink(path: journal.path) }
    #expect(error?.description.contains("\(journal.path) is not a FIFO") == true)
  }

  /// A child that has left its standard input to a child of its own, which reads nothing: it has ended, and is started again.
  @Test func aPipeThatAGrandchildHoldsIsNoReason() throws {
    let directory = try TemporaryDirectory()
    let read = directory.file("read")
    let script = """
      if [ -e '\(read)' ]; then exec cat >> '\(read)'; fi
      : > '\(read)'; exec 3<&0; sleep 5 <&3 & exit 7
      """
    let sink = try ExecSink(arguments: ["/bin/sh", "-c", script])
    let lines = Lines(0..<600)
    let error = SinkFeeder(sink).firstError(feeding: lines.bytes)
    #expect(error == Errno(EPIPE))
    #expect(error.map(sink.describe) == "it has exited with status 7")
    #expect(try sink.reopen())
    try SinkFeeder(sink).deliver(lines.bytes)
    sink.finish()
    #expect(lines.areAll(of: Syscalls.contents(of: read, limit: 1 << 24) ?? []))
  }

  /// In a program that was started with its standard streams closed, what is opened first would get their numbers, and everything that the program prints.
  @Test func aClosedStandardStreamIsNoSinksSocket() throws {
    let directory = try TemporaryDirectory()
    let journal = try MockJournal(directory.file("socket"))
    let child = try ChildProcess(
      "/bin/sh",
      ["-c", "exec \"$0\" idle 60000 0<&- 1>&- 2>&-", BuiltProducts.program("LogStorm")],
      environment: ["TREERING_SINK": "journald:\(journal.path)", "TREERING_DIR": directory.file("rings")])
    #expect(try journal.next()?.text("MESSAGE") == "before")
    let descriptors = "/proc/\(child.pid)/fd"
    let links = try Syscalls.list(descriptors).map { ($0, Syscalls.linkTarget("\(descriptors)/\($0)") ?? "") }
    #expect(links.contains { $0.1.hasPrefix("socket:") })
    #expect(!links.contains { ["0", "1", "2"].contains($0.0) }, "\(links)")
    child.kill(SIGKILL)
  }

  /// What it echoes steers no terminal, and looks like no other line.
  @Test func whatIsNotUnderstoodIsToldInOneLine() throws {
    let directory = try TemporaryDirectory()
    let child = try ChildProcess(
      "LogStorm", ["1", "1"],
      environment: [
        "TREERING_SINK": "file\ntreering: all is well\u{1B}[31m", "TREERING_DIR": directory.file("rings"),
      ],
      errors: directory.file("errors"))
    #expect(child.wait() == .exit(0))
    let lines = child.errors.split(separator: "\n").filter { !$0.hasPrefix("{") }
    #expect(lines.count == 1 && !lines[0].contains("\u{1B}"), "\(lines)")
    #expect(lines.first?.contains("one to four sink URLs") == true)
  }

  @Test(arguments: ["%+1", "%-1", "%", "%4", "%zz", "a%2"])
  func aPercentSignThatBeginsNoCodeStays(text: String) {
    #expect(text.percentDecoded == text)
    #expect(text.percentEncoded.percentDecoded == text)
  }
}
