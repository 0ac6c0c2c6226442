import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Calls that fail under a program that goes on logging: strace has the kernel's answer replaced, some times, and then no more. Nothing is lost, nothing is twice,
/// no line is torn.
@Suite(.serialized) struct FileFaultTests {
  private func run(_ run: StormRun, failing call: String, with error: String, at times: String) throws -> ChildProcess {
    let arguments = [
      "-f", "-qqq", "-o", run.directory.file("trace"), "-e", "trace=\(call)", "-e",
      "inject=\(call):error=\(error):when=\(times)",
      BuiltProducts.program("LogStorm"), "2", "6000", run.progressFile,
    ]
    let child = try ChildProcess(
      "/usr/bin/strace", arguments, environment: run.environment, errors: run.directory.file("errors"))
    _ = child.readAll()
    #expect(child.wait() == .exit(0), "\(child.errors)")
    let trace = try String(contentsOfFile: run.directory.file("trace"), encoding: .utf8)
    #expect(trace.contains("(INJECTED)"), "\(call) never failed: this proves nothing")
    return child
  }

  @Test(arguments: [
    ("write", "ENOSPC", "3..5", ""), ("write", "EIO", "3..4", "?rotate=100KB"),
    ("fdatasync", "EIO", "2..3", "?sync=batch"),
    ("renameat2", "EACCES", "1..2", "?rotate=100KB"), ("renameat2", "EINVAL", "1..3", "?rotate=100KB"),
    ("fsync", "EIO", "1..2", "?rotate=100KB&compress=gzip"),
    ("statx", "ENOSYS", "1..999", "?rotate=100KB"), ("ioprio_set", "EPERM", "1..9", "?rotate=100KB&compress=zstd"),
  ])
  func whatFailsIsTriedAgain(call: String, error: String, times: String, options: String) throws {
    var storm = try StormRun()
    storm.environment["TREERING_SINK"] = "file:\(storm.log)\(options)"
    storm.environment["TREERING_RING_SIZE"] = "16MiB"
    let child = try run(storm, failing: call, with: error, at: times)
    try storm.recover()
    let log = RotatedLog(directory: storm.directory, base: "log")
    let account = try StreamAccount(log.records().filter { !($0.msg ?? "").hasPrefix("sink ") })
    #expect(account.faults == [], "\(child.errors)")
    try storm.checkStorm(account, threads: 2, seed: 0)
    if error == "EACCES" { #expect(child.errors.contains("cannot put"), "\(child.errors)") }
  }
}
