import Foundation
import Glibc
import TestSupport
import Testing

/// The record of a crash: what the supervisor tells of a worker that died, with debug output off.
@Suite(.serialized)
struct CrashRecordTests {
  private func companies(_ directory: TemporaryDirectory, _ environment: [String: String] = [:]) throws -> Companies {
    try Companies(in: directory.path, environment: ["COMPANIES_CHAOS": "1"].merging(environment) { $1 })
  }

  /// The first record of a crash by `signal`, as soon as `count` of them are in the archive.
  private func crash(_ signal: String, _ companies: Companies, count: Int = 1) throws -> JSONRecord {
    var found: [JSONRecord] = []
    _ = try waitUntil {
      found = try companies.recordsSoFar().filter { $0.msg == "worker crashed" && $0.signal == signal }
      return found.count >= count
    }
    try #require(found.count >= count, "\(found.count) records of a crash by \(signal)")
    return found[0]
  }

  @Test(arguments: [("/chaos/trap", "SIGILL", "Companies."), ("/chaos/abort", "SIGABRT", "abort")])
  func tellsFramesAndTheLastDebugLines(path: String, signal: String, function: String) throws {
    let directory = try TemporaryDirectory()
    let companies = try companies(directory)
    _ = try Curl.get(companies.port, path, ["-H", "X-Request-ID: request-that-kills"])
    #expect(try Curl.get(companies.port, "/companies/3").status == 200)
    let record = try crash(signal, companies)
    #expect(record.level == "critical" && record.logger == "supervisor")
    let frames = try #require(record["backtrace"] as? [String], "\(record)")
    #expect(
      frames.contains { $0.contains(function) && $0.contains("(companies)") || $0.hasPrefix(function) }, "\(frames)")
    let lines = try #require(record["debug"] as? [String], "\(record)")
    #expect(lines.last?.contains("companies:request GET \(path) begins") == true, "\(lines)")
    #expect(lines.last?.contains("request-that-kills") == true)
    #expect(record.thread?.isEmpty == false && record.integer("thread.id") != nil)
    let crashed = try #require(record.crashed), written = try #require(record.time)
    #expect(crashed <= written)
    #expect(companies.stop() == .exit(0))
    #expect(
      try companies.records().allSatisfy { $0.ns == nil }, "the lines are in the crash record alone: DEBUG is off")
    #expect(directory.names(in: "rings") == [])
  }

  /// A fault that is sent, as `kill` sends it, and a worker that is killed: there was no time for frames, but the lines are there.
  @Test(arguments: [(SIGSEGV, "SIGSEGV"), (SIGKILL, "SIGKILL")])
  func tellsTheLinesOfAWorkerThatWasKilled(signal: Int32, name: String) throws {
    let directory = try TemporaryDirectory()
    let companies = try companies(directory)
    for _ in 0..<20 { _ = try Curl.get(companies.port, "/companies/5") }
    let workers = companies.workers
    #expect(workers.count == 2)
    for worker in workers { Glibc.kill(worker, signal) }
    _ = try crash(name, companies, count: 2)
    #expect(companies.stop() == .exit(0))
    let crashes = try companies.records().filter { $0.msg == "worker crashed" }
    #expect(crashes.count == 2 && crashes.allSatisfy { ($0["backtrace"] != nil) == (signal == SIGSEGV) })
    // One of the two has served the requests, or both have.
    let lines = crashes.flatMap { $0["debug"] as? [String] ?? [] }
    #expect(lines.contains { $0.contains("companies:store read company") }, "\(lines)")
  }

  /// What is masked in a log is masked here: it has never reached the memory that the record is made from.
  @Test func noSecretIsInTheRecord() throws {
    let directory = try TemporaryDirectory()
    let rings = directory.file("rings")
    let supervisor = try ChildProcess(
      BuiltProducts.release("treering"),
      [
        "supervise", "--workers", "1", "--max-restarts", "0/10", "--", BuiltProducts.release("LogStorm"), "crash",
        "abort",
      ],
      environment: ["TREERING_DIR": rings, "TREERING_FLIGHT": "on", "TREERING_SINK": "file:\(directory.file("log"))"],
      errors: directory.file("errors"))
    #expect(supervisor.wait() == .exit(1), "\(supervisor.errors)")
    let text = try String(contentsOfFile: directory.file("log"), encoding: .utf8)
    let records = try JSONRecord.read(directory.file("log"))
    let record = try #require(records.first { $0.msg == "worker crashed" }, "\(text)")
    let lines = try #require(record["debug"] as? [String], "\(record)")
    #expect(lines.contains { $0.contains("signed in with") }, "\(lines)")
    #expect(record.signal == "SIGABRT" && (record["backtrace"] as? [String])?.isEmpty == false)
    #expect(!text.contains("correct-horse"))
  }

  @Test func aRequestMayAskForItsOwnDebugOutput() throws {
    let directory = try TemporaryDirectory()
    let companies = try companies(directory)
    #expect(try Curl.get(companies.port, "/companies/1", ["-H", "X-Request-ID: quiet-one"]).status == 200)
    let loud = ["-H", "X-Request-ID: loud-one", "-H", "X-Debug: companies:*"]
    #expect(try Curl.get(companies.port, "/companies/2", loud).status == 200)
    #expect(try Curl.get(companies.port, "/companies/3", ["-H", "X-Request-ID: quiet-two"]).status == 200)
    #expect(companies.stop() == .exit(0))
    let lines = try companies.records().filter { $0.ns != nil }
    #expect(lines.map { $0["request.id"] as? String }.compactMap(\.self) == ["loud-one", "loud-one"], "\(lines)")
    #expect(
      lines.compactMap(\.ns).sorted() == ["companies:request", "companies:request", "companies:store"], "\(lines)")
  }

  @Test func inProductionNoRequestMay() throws {
    let directory = try TemporaryDirectory()
    let companies = try companies(directory, ["APP_ENV": "production"])
    #expect(try Curl.get(companies.port, "/companies/2", ["-H", "X-Debug: *"]).status == 200)
    #expect(companies.stop() == .exit(0))
    #expect(try companies.records().allSatisfy { $0.ns == nil })
  }
}
