import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// A run of `LogStorm paced`: a program that logs all the time while a test does something to its sinks.
final class PacedRun {
  let directory: TemporaryDirectory
  private(set) var child: ChildProcess

  /// What the program measured, in nanoseconds of a call.
  struct Latency {
    var calls = 0
    var median = 0
    var p99 = 0
    var longest = 0
    /// Of the calls in which the thread went to sleep.
    var longestWait = 0
    var withheld = 0
  }

  /// - Parameters:
  ///   - sinks: as `TREERING_SINK` spells them.
  ///   - microseconds: what it waits between two records.
  ///   - within: a command that the program is run by, as in `["unshare", "-m", "--"]`.
  init(
    _ directory: TemporaryDirectory, sinks: String, within command: [String] = [], ringSize: String = "1MiB",
    writer: String = "thread", pause microseconds: Int = 100
  ) throws {
    self.directory = directory
    let program = [BuiltProducts.program("LogStorm"), "paced", directory.file("paced"), "\(microseconds)"]
    let words = command + program
    child = try ChildProcess(
      Self.resolve(words[0]), Array(words.dropFirst()),
      environment: [
        "TREERING_SINK": sinks, "TREERING_DIR": directory.file("rings"), "TREERING_RING_SIZE": ringSize,
        "TREERING_FORMAT": "json", "TREERING_WRITER": writer,
      ], errors: directory.file("errors"))
  }

  private static func resolve(_ program: String) -> String {
    program.hasPrefix("/") ? program : "/usr/bin/\(program)"
  }

  /// Ends it, and returns what it measured. A program that takes longer than `seconds` to end is a failure.
  func finish(withinSeconds seconds: Double = 10) throws -> Latency {
    let begin = Syscalls.now(CLOCK_MONOTONIC)
    _ = FileManager.default.createFile(atPath: directory.file("paced.end"), contents: nil)
    let words = child.readAll().split(separator: "\n").first { $0.hasPrefix("calls") }?.split(separator: " ") ?? []
    #expect(child.wait() == .exit(0), "\(child.errors)")
    let took = Double(Syscalls.now(CLOCK_MONOTONIC) - begin) / 1e9
    #expect(took < seconds, "ending took \(took) s")
    func number(_ name: Substring) throws -> Int {
      let index = try #require(words.firstIndex(of: name), "\(words) \(child.errors)")
      return try #require(Int(words[index + 1]))
    }
    return try Latency(
      calls: number("calls"), median: number("median"), p99: number("p99"), longest: number("max"),
      longestWait: number("wait"), withheld: number("withheld"))
  }

  /// Its ring file.
  func ringFile() throws -> String {
    guard let path = try RingDirectory.files(in: directory.file("rings")).first else { throw NotThere() }
    return path
  }

  struct NotThere: Error {}

  /// Its resident memory, in KiB, whatever runs it.
  func residentKilobytes() throws -> Int {
    let pid = try RingSurvey(path: ringFile()).pid
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8).split(separator: "\n")
    return try #require(status.first { $0.hasPrefix("VmRSS:") }.flatMap { Int($0.filter(\.isNumber)) })
  }

  /// The complaints of the library on standard error.
  var complaints: [Substring] { child.errors.split(separator: "\n").filter { $0.hasPrefix("treering: ") } }

  /// Waits until `condition` holds, 20 seconds at most.
  static func wait(for what: String, _ condition: () -> Bool) {
    let end = Syscalls.now(CLOCK_MONOTONIC) + 20_000_000_000
    while !condition(), Syscalls.now(CLOCK_MONOTONIC) < end { usleep(2000) }
    #expect(condition(), "\(what) has not happened within 20 seconds")
  }

  /// Bytes of a file; 0 when there is none.
  static func size(_ path: String) -> Int { (try? Syscalls.status(ofPath: path)).map { Int($0.st_size) } ?? 0 }

  /// Waits until a file has grown by so much.
  static func waitForGrowth(of path: String, by bytes: Int = 4000) {
    let before = size(path)
    wait(for: "growth of \(path)") { size(path) >= before + bytes }
  }
}
