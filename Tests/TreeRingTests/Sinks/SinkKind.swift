import Glibc
import TestSupport

@testable import TreeRing

/// A kind of sink for the contract suite: how to open one on a scratch destination, and what can be done to that destination.
///
/// A new sink is added to ``all`` with a function that returns a ``SinkSubject``.
struct SinkKind: Sendable, CustomStringConvertible {
  let description: String
  /// Opens a sink on a destination of its own below the directory.
  let open: @Sendable (TemporaryDirectory) throws -> SinkSubject
  /// Whether `stall` makes its reader stop reading.
  var canStall = false
  /// Whether `fail` breaks it in a way that `mend` and a reopening repair.
  var canFail = false
  /// Whether it is back without `mend`, as a program that is started again.
  var mendsItself = false
  /// Opens one that cannot be had; the error must contain the text. Nil: there is no such thing.
  var openImpossible: (@Sendable (TemporaryDirectory) -> (sink: () throws -> any Sink, named: String))?

  /// A subject that keeps its directory.
  func subject() throws -> SinkSubject {
    let directory = try TemporaryDirectory()
    let subject = try open(directory)
    subject.directory = directory
    return subject
  }

  static let all: [SinkKind] =
    [file, fileWithoutDirectory, pipe, redirected, fifo, exec, syslogLocal, syslogLocalStream, syslogUDP, syslogTCP]
    + [journal] + filesOnDisks + daemons
  static let stalling = all.filter(\.canStall)
  static let failing = all.filter(\.canFail)
  static let refusing = all.filter { $0.openImpossible != nil }
}

/// One sink under test.
class SinkSubject {
  /// Nil once the test has let go of it.
  var sink: (any Sink)?
  /// Gone when the subject is.
  var directory: TemporaryDirectory?

  init(_ sink: any Sink) { self.sink = sink }

  /// The lines as they are given to the sink. A daemon takes messages, and no others.
  func spelled(_ lines: Lines) -> [UInt8] { lines.bytes }
  /// What lines have arrived so far. With `count`, waits for so many bytes of them, ten seconds at most.
  func arrived(_ count: Int) throws -> [UInt8] { [] }
  /// Its reader reads no more, or again.
  func stall(_ isStalled: Bool) throws {}
  /// Makes the next writes fail.
  func fail() throws {}
  /// Takes that back.
  func mend() throws {}
  /// Whether anything of the sink's is still open: a descriptor, a child. Or whether something is closed that was not the sink's.
  func holdsAnything() throws -> Bool { false }

  /// Whether a descriptor of this process is open on `path`.
  static func isOpen(_ path: String, except own: Int32 = -1) -> Bool {
    let names = (try? Syscalls.list("/proc/self/fd")) ?? []
    return names.contains { name in
      guard Int32(name) != own else { return false }
      var buffer = [CChar](repeating: 0, count: 4096)
      let count = unsafe readlink("/proc/self/fd/\(name)", &buffer, buffer.count)
      return String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self) == path
    }
  }
}

/// A file sink.
class FileSubject: SinkSubject {
  let path: String

  init(path: String) throws {
    self.path = path
    super.init(try FileSink(path: path))
  }

  override func arrived(_ count: Int) throws -> [UInt8] { Syscalls.contents(of: path, limit: 1 << 24) ?? [] }
  override func holdsAnything() -> Bool { Self.isOpen(path) }
}

/// A sink whose destination is read by a thread of the test.
final class ReaderSubject: SinkSubject {
  private let reader: PipeReader
  private let path: String?
  private let inherited: Int32

  /// - Parameter inherited: a descriptor that the sink was given, which is still open when the sink is gone.
  init(_ sink: any Sink, _ reader: PipeReader, path: String? = nil, inherited: Int32 = -1) {
    self.reader = reader
    self.path = path
    self.inherited = inherited
    super.init(sink)
  }

  deinit { if inherited >= 0 { close(inherited) } }

  override func arrived(_ count: Int) -> [UInt8] { reader.wait(for: count) }
  override func stall(_ isStalled: Bool) { reader.isPaused = isStalled }
  override func fail() { reader.close() }
  override func mend() throws { if let path { try reader.open(path) } }
  override func holdsAnything() -> Bool {
    if inherited >= 0 { return fcntl(inherited, F_GETFD) < 0 }
    return path.map { Self.isOpen($0, except: reader.descriptor) } ?? false
  }
}

/// A child that appends what it reads to a file.
final class ExecSubject: SinkSubject {
  private let path: String
  private let child: ExecSink
  private let pid: Int32?

  init(_ path: String) throws {
    self.path = path
    child = try ExecSink(arguments: ["/bin/sh", "-c", "exec cat >> \"$0\"", path])
    pid = child.pid
    super.init(child)
  }

  deinit { child.finish() }

  private func contents() -> [UInt8] { Syscalls.contents(of: path, limit: 1 << 24) ?? [] }
  override func arrived(_ count: Int) -> [UInt8] {
    let end = Syscalls.now(CLOCK_MONOTONIC) + 10_000_000_000
    while contents().count < count, Syscalls.now(CLOCK_MONOTONIC) < end { usleep(2000) }
    return contents()
  }
  override func stall(_ isStalled: Bool) {
    if let pid = child.pid { _ = kill(pid, isStalled ? SIGSTOP : SIGCONT) }
  }
  override func fail() { if let pid = child.pid { _ = kill(pid, SIGKILL) } }
  override func holdsAnything() -> Bool { pid.map { kill($0, 0) == 0 } ?? false }
}

extension SinkKind {
  static let file = SinkKind(
    description: "file",
    open: { try FileSubject(path: $0.file("log")) },
    openImpossible: { directory in
      let path = directory.file("missing/log")
      return ({ try FileSink(path: path) }, path)
    })

  /// An inherited pipe, as standard error under a supervisor is.
  static let pipe = SinkKind(
    description: "pipe",
    open: { _ in
      let (reader, writing) = try PipeReader.pipe()
      return ReaderSubject(StreamSink(descriptor: writing), reader, inherited: writing)
    }, canStall: true)

  /// Standard output redirected to a file.
  static let redirected = SinkKind(
    description: "redirected stream",
    open: { directory in
      let path = directory.file("out")
      let descriptor = try Syscalls.open(path, O_WRONLY | O_CREAT)
      return RedirectedSubject(path, descriptor)
    })

  static let fifo = SinkKind(
    description: "fifo",
    open: { directory in
      let path = directory.file("fifo")
      let sink = try FIFOSink(path: path)
      let reader = PipeReader()
      try reader.open(path)
      _ = try sink.reopen()
      return ReaderSubject(sink, reader, path: path)
    }, canStall: true, canFail: true,
    openImpossible: { directory in
      let path = directory.file("missing/fifo")
      return ({ try FIFOSink(path: path) }, path)
    })

  static let exec = SinkKind(
    description: "exec", open: { try ExecSubject($0.file("read")) }, canStall: true, canFail: true, mendsItself: true,
    openImpossible: { directory in
      let path = directory.file("no such program")
      return ({ try ExecSink(arguments: [path]) }, path)
    })
}

/// The descriptor is the test's, and is still open when the sink is gone.
private final class RedirectedSubject: SinkSubject {
  private let path: String
  private let descriptor: Int32

  init(_ path: String, _ descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
    super.init(StreamSink(descriptor: descriptor))
  }

  deinit { close(descriptor) }

  override func arrived(_ count: Int) throws -> [UInt8] { Syscalls.contents(of: path, limit: 1 << 24) ?? [] }
  override func holdsAnything() -> Bool { Self.isOpen(path, except: descriptor) }
}
