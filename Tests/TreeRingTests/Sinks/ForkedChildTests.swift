import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// A program forks in C, and the child goes on without logging, as a daemon's helper does. When the parent is dead, whoever reads its log learns that at once, and
/// not when the child ends.
@Suite(.serialized) struct ForkedChildTests {
  /// A program that has logged to `sink` and has a forked child, which lives for a minute.
  private struct Family {
    let directory: TemporaryDirectory
    let parent: ChildProcess
    let child: pid_t

    init(_ directory: TemporaryDirectory, sink: String) throws {
      self.directory = directory
      parent = try ChildProcess(
        "LogStorm", ["orphan"],
        environment: ["TREERING_DIR": directory.file("rings"), "TREERING_SINK": sink, "TREERING_FORMAT": "json"],
        errors: directory.file("errors"))
      child = try #require(parent.readLine().flatMap { pid_t($0) }, "\(parent.errors)")
    }

    /// Ends the parent, checks what its reader sees, and ends the child.
    func endParent(_ check: () throws -> Void) throws {
      defer { kill(child, SIGKILL) }
      parent.kill(SIGKILL)
      parent.wait()
      try check()
      #expect(kill(child, 0) == 0, "the child is dead: this proves nothing")
    }
  }

  @Test func theReaderOfAFIFOSeesTheEnd() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("fifo")
    #expect(unsafe mkfifo(path, 0o600) == 0)
    let reader = try Syscalls.open(path, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    let family = try Family(directory, sink: "fifo:\(path)")
    var part = [UInt8](repeating: 0, count: 65_536)
    var hasRead = false
    // A reader sees an end before the first writer has come, too; nothing to read while there is a writer is EAGAIN.
    func isAtItsEnd() -> Bool {
      let count = unsafe read(reader, &part, part.count)
      if count > 0 { hasRead = true }
      return count == 0
    }
    PacedRun.wait(for: "the first lines") { !isAtItsEnd() && hasRead }
    try family.endParent { PacedRun.wait(for: "the end of the FIFO", isAtItsEnd) }
  }

  @Test func theProgramThatReadsSeesTheEnd() throws {
    let directory = try TemporaryDirectory()
    let (lines, end) = (directory.file("lines"), directory.file("end"))
    let family = try Family(directory, sink: "exec:/bin/sh -c cat>\(lines);echo>\(end)")
    PacedRun.wait(for: "the first lines") { PacedRun.size(lines) > 0 }
    #expect(PacedRun.size(end) == 0)
    try family.endParent { PacedRun.wait(for: "the end of its input") { PacedRun.size(end) > 0 } }
  }

  @Test func theServerAtTheEndOfAConnectionSeesTheEnd() throws {
    let directory = try TemporaryDirectory()
    let port = FreePort.find(SOCK_STREAM)
    let server = try SocketReader(.tcp(port))
    let family = try Family(directory, sink: "syslog+tcp://127.0.0.1:\(port)")
    #expect(server.wait(for: 1).count > 0)
    #expect(server.isConnected)
    try family.endParent { PacedRun.wait(for: "the end of the connection") { !server.isConnected } }
  }
}
