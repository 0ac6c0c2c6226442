import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Debian's logrotate on a file that a program writes, in both of its ways. The program gets no signal.
@Suite(.serialized) struct LogrotateTests {
  private let directory: TemporaryDirectory
  private let child: ChildProcess
  private var log: String { directory.file("log") }

  init() throws {
    directory = try TemporaryDirectory()
    let environment = ["TREERING_DIR": directory.file("rings"), "TREERING_SINK": "file:\(directory.file("log"))"]
    child = try ChildProcess("LogStorm", ["steps", directory.file("go"), "500"], environment: environment)
  }

  private func logrotate(_ directives: String...) throws {
    let file = directory.file("logrotate.conf")
    let text = "\"\(log)\" {\n  rotate 9\n  \(directives.joined(separator: "\n  "))\n}\n"
    try text.write(toFile: file, atomically: false, encoding: .utf8)
    // It refuses a configuration that others could write.
    unsafe chmod(file, 0o600)
    try runTool("/usr/sbin/logrotate", "--force", "--state", directory.file("state"), file)
  }

  private func goOn(_ name: String) throws {
    close(try Syscalls.open(directory.file("go.\(name)"), O_WRONLY | O_CREAT))
  }

  /// The numbers of a file's records, in order.
  private func numbers(_ name: String) throws -> [Int] {
    try JSONRecord.read(directory.file(name)).compactMap { $0.integer("number") }
  }

  @Test(arguments: ["create 0600", "nocreate", "create\n  compress"])
  func renaming(directives: String) throws {
    for step in 0..<3 {
      #expect(child.readLine() == "step \(step)")
      try logrotate(directives)
      try goOn("\(step)")
    }
    #expect(child.readLine() == "step 3")
    try goOn("end")
    #expect(child.wait() == .exit(0))
    if directives.hasSuffix("compress") {
      for name in ["log.1.gz", "log.2.gz", "log.3.gz"] { try runTool("/usr/bin/gzip", "-d", directory.file(name)) }
    }
    for (name, step) in [("log.3", 0), ("log.2", 1), ("log.1", 2), ("log", 3)] {
      #expect(try numbers(name) == Array(step * 500..<(step + 1) * 500), "\(name)")
    }
    let account = try StreamAccount(
      ["log.3", "log.2", "log.1", "log"].flatMap { try JSONRecord.read(directory.file($0)) })
    #expect(account.faults == [])
    if directives.hasPrefix("create 0600") { #expect(try Syscalls.status(ofPath: log).st_mode & 0o777 == 0o600) }
  }

  /// The file shrinks under the program: no error, no hole, no half line.
  @Test func copyingAndCutting() throws {
    for step in 0..<3 {
      #expect(child.readLine() == "step \(step)")
      try logrotate("copytruncate")
      #expect(try Syscalls.status(ofPath: log).st_size == 0)
      try goOn("\(step)")
    }
    #expect(child.readLine() == "step 3")
    try goOn("end")
    #expect(child.wait() == .exit(0) && child.errors == "")
    for (name, step) in [("log.3", 0), ("log.2", 1), ("log.1", 2), ("log", 3)] {
      #expect(try numbers(name) == Array(step * 500..<(step + 1) * 500), "\(name)")
    }
  }

  /// Killed after its file was renamed or cut: recovery goes on in the file that is there, and nothing is twice.
  @Test(arguments: ["create 0640", "copytruncate"])
  func killedAfterwards(directives: String) throws {
    #expect(child.readLine() == "step 0")
    try logrotate(directives)
    child.kill(SIGKILL)
    child.wait()
    for path in try RingDirectory.files(in: directory.file("rings")) {
      _ = try Recovery(fallback: NullSink()).recover(path)
    }
    let records = try ["log.1", "log"].flatMap { try JSONRecord.read(directory.file($0)) }
    #expect(StreamAccount(records).faults == [])
    #expect(try numbers("log.1") == Array(0..<500))
  }
}
