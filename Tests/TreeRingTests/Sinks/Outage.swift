import Glibc
import TestSupport

@testable import TreeRing

/// A kind of outage: a sink under a program of its own, and what is done to its destination.
struct OutageKind: Sendable, CustomStringConvertible {
  let description: String
  /// What the notice may say.
  let errors: [String]
  /// Nil, where this outage cannot be made here.
  let open: @Sendable (TemporaryDirectory) throws -> OutageSubject?

  static let all =
    [fullDisk, readOnlyDisk, noDirectory, lockedDirectory, writeError, syncError, sleepingReader, goneReader] + daemons
}

/// What an outage is made of.
final class OutageSubject {
  /// The sink, as `TREERING_SINK` spells it, without its options.
  let sink: String
  /// Options that it needs.
  var options = ""
  /// A command that the program is run by.
  var within: [String] = []
  /// The user that the program runs as, if it is not the test's.
  var user: UInt32?
  /// Bytes that have arrived.
  let arrived: () -> Int
  let fail: () throws -> Void
  let mend: () throws -> Void

  init(
    _ sink: String, arrived: @escaping () -> Int, fail: @escaping () throws -> Void = {},
    mend: @escaping () throws -> Void = {}
  ) {
    self.sink = sink
    self.arrived = arrived
    self.fail = fail
    self.mend = mend
  }
}

// MARK: files

extension OutageKind {
  static let fullDisk = place("ENOSPC: a full disk", "No space left on device", .fullDisk)
  static let readOnlyDisk = place("EROFS: a read-only disk", "Read-only file system", .readOnlyDisk)
  static let noDirectory = place("ENOENT: no directory", "No such file or directory", .noDirectory)

  private static func place(_ name: String, _ error: String, _ fault: FaultyPlace.Fault) -> OutageKind {
    OutageKind(description: name, errors: [error]) { directory in
      if fault != .noDirectory, !FaultyPlace.canMount() { return nil }
      return subject(try FaultyPlace(fault, in: directory))
    }
  }

  private static func subject(_ place: FaultyPlace) -> OutageSubject {
    OutageSubject(
      "file:\(place.path)", arrived: { PacedRun.size(place.path) }, fail: { try place.fail() },
      mend: { try place.mend() })
  }

  /// For a user who is not root.
  static let lockedDirectory = OutageKind(description: "EACCES: a locked directory", errors: ["Permission denied"]) {
    directory in
    let nobody: UInt32 = 65_534
    let command = ["setpriv", "--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups", "--"]
    guard geteuid() == 0, unsafe chmod(directory.path, 0o711) == 0,
      try ChildProcess(
        "/usr/bin/setpriv", command.dropFirst() + [BuiltProducts.program("LogStorm"), "1", "1"],
        environment: ["TREERING_SINK": "null:", "TREERING_DIR": "/proc/nowhere"]
      ).wait() == .exit(0)
    else { return nil }
    let place = try FaultyPlace(.lockedDirectory, in: directory)
    try place.give(to: nobody)
    let made = subject(place)
    (made.within, made.user) = (command, nobody)
    return made
  }

  /// The kernel's answer is replaced by strace, seven times: with the pauses between them six seconds.
  static let writeError = injected("EIO: of a write", "write", ["-P"], options: "")
  static let syncError = injected("EIO: of fdatasync", "fdatasync", [], options: "&sync=batch")

  private static func injected(
    _ name: String, _ call: String, _ restriction: [String], options: String
  ) -> OutageKind {
    OutageKind(description: name, errors: ["Input/output error"]) { directory in
      let log = directory.file("log")
      let made = OutageSubject("file:\(log)", arrived: { PacedRun.size(log) })
      made.options = options
      made.within =
        ["strace", "-f", "-qqq", "--seccomp-bpf", "-o", directory.file("trace")] + restriction.flatMap { [$0, log] }
        + ["-e", "trace=\(call)", "-e", "inject=\(call):error=EIO:when=100..106"]
      return made
    }
  }
}

// MARK: readers

extension OutageKind {
  static let sleepingReader = fifo("EAGAIN: a FIFO whose reader sleeps", "its reader does not keep up") { reader, _ in
    ({ reader.isPaused = true }, { reader.isPaused = false })
  }
  static let goneReader = fifo("EPIPE: a FIFO whose reader goes", "its reader has gone") { reader, path in
    ({ reader.close() }, { try reader.open(path) })
  }

  private static func fifo(
    _ name: String, _ error: String,
    _ changes: @escaping @Sendable (PipeReader, String) -> (fail: () throws -> Void, mend: () throws -> Void)
  ) -> OutageKind {
    OutageKind(description: name, errors: [error]) { directory in
      let path = directory.file("fifo")
      guard unsafe mkfifo(path, 0o600) == 0 else { throw Errno.current }
      let reader = PipeReader()
      try reader.open(path)
      let (fail, mend) = changes(reader, path)
      return OutageSubject("fifo:\(path)", arrived: { reader.bytes.count }, fail: fail, mend: mend)
    }
  }
}

// MARK: daemons, which are stopped and started again

extension OutageKind {
  private static var daemons: [OutageKind] {
    [
      // It takes its socket away when it ends; of a connection the end is seen first.
      syslog("/dev/log, restarted", ["No such file or directory", "Connection refused"], .local),
      syslog("TCP, restarted", ["Connection reset by peer", "Connection refused"], .tcp),
      syslog("UDP, restarted", ["Connection refused"], .udp), journald,
    ]
  }

  private static func syslog(_ name: String, _ errors: [String], _ transport: SyslogServer.Transport) -> OutageKind {
    OutageKind(description: "rsyslogd: \(name)", errors: errors) { _ in
      let server = try SyslogServer(.rsyslog)
      let made = OutageSubject(
        server.target(transport, .rfc5424).name, arrived: { PacedRun.size(server.output) }, fail: { server.stop() },
        mend: { try server.start() })
      made.options = "&rfc=5424"
      return made
    }
  }

  private static let journald = OutageKind(description: "journald, restarted", errors: ["Connection refused"]) { _ in
    guard JournaldServer.isAvailable else { return nil }
    let server = try JournaldServer()
    return OutageSubject(
      "journald:\(server.socket)", arrived: { server.size(of: "LogStorm") }, fail: { server.close() },
      mend: { try server.open() })
  }
}
