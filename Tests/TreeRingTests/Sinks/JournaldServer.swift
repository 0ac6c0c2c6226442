import Foundation
import Glibc
import TestSupport

@testable import TreeRing

/// A real systemd-journald that a test starts, in a mount namespace of its own whose /run is the test's directory.
final class JournaldServer {
  let socket: String
  private let directory: TemporaryDirectory
  private var process: ChildProcess?

  struct NotReady: Error { let log: String }

  static let absence = "systemd-journald: it is not there, or no mount namespace of its own can be made here"

  /// Whether there can be one.
  static let isAvailable: Bool = {
    guard FileManager.default.isExecutableFile(atPath: program), let directory = try? TemporaryDirectory(),
      let probe = try? ChildProcess("/usr/bin/unshare", ["-m", "mount", "--bind", directory.path, "/run"])
    else { return false }
    return probe.wait() == .exit(0)
  }()

  private static let program = "/lib/systemd/systemd-journald"

  /// Starts it.
  init() throws {
    directory = try TemporaryDirectory()
    for name in [
      "run", "run/systemd", "run/systemd/journal", "run/systemd/journald.conf.d", "run/log", "run/log/journal",
    ] {
      try Syscalls.makeDirectories(directory.file(name), mode: 0o755)
    }
    let settings = "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nRateLimitBurst=0\n"
    try Data(settings.utf8).write(to: URL(fileURLWithPath: directory.file("run/systemd/journald.conf.d/test.conf")))
    socket = directory.file("run/systemd/journal/socket")
    try open()
  }

  /// Starts it at the socket that it had.
  func open() throws {
    unsafe unlink(socket)
    let script = "mount --bind \"$0\" /run && exec \(Self.program)"
    process = try ChildProcess(
      "/usr/bin/unshare", ["-m", "/bin/sh", "-c", script, directory.file("run")], errors: directory.file("errors"))
    for _ in 0..<2000 where !FileManager.default.fileExists(atPath: socket) { usleep(10_000) }
    guard FileManager.default.fileExists(atPath: socket) else { throw NotReady(log: process?.errors ?? "") }
  }

  /// Ends it in an orderly way.
  func close() {
    process?.kill(SIGTERM)
    process?.kill(SIGCONT)
    process?.wait()
    process = nil
  }

  /// Whether it stands still, and reads nothing.
  var isPaused = false {
    didSet { process?.kill(isPaused ? SIGSTOP : SIGCONT) }
  }

  /// Bytes of all messages of a program.
  func size(of identifier: String) -> Int { (try? show(identifier, "cat").utf8.count) ?? 0 }

  /// Waits for so many entries, twenty seconds at most.
  func entries(of identifier: String, count: Int) throws -> [[String: Any]] {
    var entries: [[String: Any]] = []
    for _ in 0..<200 {
      entries = try show(identifier, "json").split(separator: "\n").map { try JSONRecord(line: $0).object }
      if entries.count >= count { break }
      usleep(100_000)
    }
    return entries
  }

  private func show(_ identifier: String, _ format: String) throws -> String {
    let arguments = ["-D", directory.file("run/log/journal"), "-o", format, "--all", "--no-pager"]
    return try ChildProcess("/usr/bin/journalctl", arguments + ["SYSLOG_IDENTIFIER=\(identifier)"]).readAll()
  }
}

extension JournaldServer: Receiver {
  private static let identifier = "lines"

  /// As `JournalFormatter` spells them.
  func spelled(_ lines: Lines) -> [UInt8] {
    let name = Array("SYSLOG_IDENTIFIER=\(Self.identifier)\n".utf8)
    return lines.bytes.split(separator: 0x0A).flatMap {
      Array("MESSAGE=".utf8) + $0 + [JournalFormatter.separator] + name
    }
  }

  func wait(for count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<100 {
      bytes = Array(try show(Self.identifier, "cat").utf8)
      if bytes.count >= count { break }
      usleep(100_000)
    }
    return bytes
  }
}
