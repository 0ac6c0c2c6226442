import Foundation
import Glibc
import TestSupport

/// A running `companies` of a test: release-built (debug builds of SwiftNIO assert when several processes accept from one socket), on a free port, in
/// directories of its own.
final class Companies: Sendable {
  let process: ChildProcess
  let data: String
  let rings: String
  let port: UInt16
  private let errors: String

  /// Starts it and returns when every worker is ready.
  init(in directory: String, environment: [String: String] = [:], workers: Int = 2) throws {
    data = directory + "/data"
    rings = directory + "/rings"
    errors = directory + "/errors-\(UUID().uuidString)"
    port = FreePort.find()
    var variables = environment
    if variables["XDG_RUNTIME_DIR"] == nil { variables["TREERING_DIR"] = rings }
    let before = try Self.readyWorkers(Self.archive(in: data))
    process = try ChildProcess(
      BuiltProducts.release("companies"),
      ["--port", "\(port)", "--data", data, "--workers", "\(workers)"], environment: variables, errors: errors)
    let answers = try waitUntil { try Curl.get(port, "/health/ready", ["-m", "5"]).status == 200 }
    if !answers { throw Failure(what: "no answer: \(process.errors)") }
    let areReady = try waitUntil { try Self.readyWorkers(archive) >= before + workers }
    if !areReady { throw Failure(what: "not every worker is ready: \(process.errors)") }
  }

  struct Failure: Error {
    let what: String
  }

  /// Process ids of the workers that run now, by the supervisor's own children.
  var workers: [pid_t] {
    let tasks = "/proc/\(process.pid)/task"
    // A child belongs to the thread that spawned it.
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
    let lists = threads.compactMap { try? String(contentsOfFile: "\(tasks)/\($0)/children", encoding: .utf8) }
    return lists.flatMap { $0.split { $0 == " " || $0 == "\n" } }.compactMap { pid_t($0) }.filter(isRunning)
  }

  /// Stops it as an operator does; returns how it ended.
  func stop() -> ChildProcess.Ending {
    process.kill(SIGTERM)
    return process.wait()
  }

  /// The archive's files.
  var archive: [String] { Self.archive(in: data) }

  private static func archive(in data: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: data + "/archive")) ?? []
    return names.sorted().map { data + "/archive/" + $0 }
  }

  private static func readyWorkers(_ archive: [String]) throws -> Int {
    try archive.flatMap { try JSONRecord.read($0, isGrowing: true) }.count { $0.msg == "worker ready" }
  }

  /// The archive's records, in order, after the end.
  func records() throws -> [JSONRecord] { try archive.flatMap { try JSONRecord.read($0) } }

  /// The same while it is written to.
  func recordsSoFar() throws -> [JSONRecord] { try archive.flatMap { try JSONRecord.read($0, isGrowing: true) } }
}

/// Whether a process runs: it exists, and is not a zombie that nobody has waited for yet.
func isRunning(_ pid: pid_t) -> Bool {
  guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
    let close = stat.lastIndex(of: ")")
  else { return false }
  return stat[close...].dropFirst(2).first != "Z"
}

/// Asks until `condition` holds; false after so many seconds: more than any machine takes.
func waitUntil(seconds: Double = 60, _ condition: () throws -> Bool) rethrows -> Bool {
  let end = Date().addingTimeInterval(seconds)
  while Date() < end {
    if try condition() { return true }
    usleep(10_000)
  }
  return try condition()
}

/// One request by Debian's curl, which knows nothing of this project.
enum Curl {
  struct Answer {
    let status: Int
    let body: String
    let headers: String
  }

  /// Status 0: no answer.
  static func get(_ port: UInt16, _ path: String, _ options: [String] = []) throws -> Answer {
    let curl = try ChildProcess(
      "/usr/bin/curl",
      ["-s", "-m", "60", "-D", "/dev/stderr", "-w", "\n%{http_code}"] + options + ["http://127.0.0.1:\(port)\(path)"],
      errors: "/dev/null")
    var lines = curl.readAll().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let status = lines.popLast().flatMap { Int($0) } ?? 0
    curl.wait()
    return Answer(status: status, body: lines.joined(separator: "\n"), headers: "")
  }
}

/// `treering`, run to its end.
enum TreeRing {
  struct Result {
    let code: Int32
    let output: String
    let errors: String
    /// The last line of output.
    var last: String { output.split(separator: "\n").last.map(String.init) ?? "" }
  }

  static func run(_ arguments: String..., in directory: String, environment: [String: String] = [:]) throws -> Result {
    try run(program: "treering", arguments, in: directory, environment: environment)
  }

  /// Any program of the package, or another one by its path.
  static func run(
    program: String, _ arguments: [String], in directory: String, environment: [String: String] = [:]
  ) throws -> Result {
    // Where nothing else is said, rings are looked for below the test's own directory.
    let variables = environment.merging(["XDG_RUNTIME_DIR": directory]) { own, _ in own }
    let process = try ChildProcess(
      program.hasPrefix("/") ? program : BuiltProducts.release(program), arguments, environment: variables,
      errors: directory + "/errors-\(UUID().uuidString)")
    let output = process.readAll()
    guard case .exit(let code) = process.wait() else { return Result(code: -1, output: output, errors: process.errors) }
    return Result(code: code, output: output, errors: process.errors)
  }
}
