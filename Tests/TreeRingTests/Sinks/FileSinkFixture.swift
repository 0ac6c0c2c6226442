import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// A file sink on a directory of its own, with a clock that the test moves.
final class FileSinkFixture {
  let directory: TemporaryDirectory
  /// 2026-11-23 12:00:00 UTC, unless the test moves it.
  var now: UInt64 = 1_795_435_200_000_000_000
  private(set) var complaints: [String] = []
  let path: String

  /// - Parameter folder: one to make first.
  init(_ name: String = "a.log", in directory: TemporaryDirectory? = nil, making folder: String? = nil) throws {
    self.directory = try directory ?? TemporaryDirectory()
    if let folder { try Syscalls.makeDirectories(self.directory.file(folder)) }
    path = self.directory.file(name)
  }

  func open(_ rotation: FileRotation? = nil, _ durability: FileDurability = .system) throws -> FileSink {
    try FileSink(
      path: path, options: FileOptions(rotation: rotation, durability: durability), clock: { [self] in now },
      complain: { [self] in complaints.append($0) })
  }

  /// The names in the directory.
  var names: [String] { directory.names(in: ".") }

  func text(_ name: String = "a.log") throws -> String {
    try String(contentsOfFile: directory.file(name), encoding: .utf8)
  }

  func mode(_ name: String = "a.log") throws -> UInt32 {
    try Syscalls.status(ofPath: directory.file(name)).st_mode & 0o7777
  }

  /// Waits until the thread in the background has made of the directory what the test expects, a minute at most.
  func waitUntil(_ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<12_000 {
      if try condition() { return true }
      usleep(5000)
    }
    return false
  }
}

extension FileSink {
  /// One batch as the drain writes it. Returns what the journal would have remembered.
  @discardableResult
  func put(_ text: String) throws -> SinkIntent {
    let intent = try intent(length: text.utf8.count)
    var text = text
    try text.withUTF8 { bytes in try unsafe write(UnsafeRawBufferPointer(bytes)) }
    return intent
  }
}

/// Runs a program of the system to its end and returns what it printed.
@discardableResult
func runTool(_ program: String, _ arguments: String...) throws -> String {
  let child = try ChildProcess(program, arguments)
  let output = child.readAll()
  #expect(child.wait() == .exit(0), "\(program) \(arguments): \(child.errors)")
  return output
}
