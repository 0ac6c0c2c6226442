import Foundation
import Glibc
import TestSupport
import Testing

/// The promise: a worker is killed under load, and nothing it logged is lost.
@Suite(.serialized)
struct KillTests {
  /// Every trial has its own server, load and moment. `TREERING_KILLS` says how many; a night's run asks for 1,000.
  @Test func everyRecordOfAKilledWorkerIsInTheArchiveOnce() throws {
    var random = SeededGenerator("kill trials")
    for trial in 0..<environment("TREERING_KILLS", default: 20) {
      try killOnce(trial, &random)
    }
  }

  private func killOnce(_ trial: Int, _ random: inout SeededGenerator) throws {
    let directory = try TemporaryDirectory()
    let companies = try Companies(in: directory.path)
    let clock = StillClock()
    let load = try Load(companies.port, in: directory)
    usleep(UInt32.random(in: 100_000...1_200_000, using: &random))
    let victim = try #require(companies.workers.randomElement(using: &random))
    Glibc.kill(victim, SIGKILL)
    // The other worker serves on: not one of these requests may fail.
    for number in 0..<5 {
      let answer = try Curl.get(companies.port, "/companies/3", ["-H", "X-Request-ID: after-\(number)"])
      #expect(answer.status == 200, "trial \(trial)")
    }
    let seen = try load.finish()
    #expect(companies.stop() == .exit(0))
    let records = try companies.records()
    try checkCrashRecord(records, victim, clock, trial)
    try checkAnswers(seen, records, "trial \(trial), seed \(random.seed)")
    let account = StreamAccount(records.filter { !$0.line.contains(#""worker":"#) || $0.ring != nil })
    #expect(account.faults.isEmpty, "trial \(trial), seed \(random.seed): \(account.faults.prefix(3))")
    let verdict = try TreeRing.run(program: "treering", ["verify"] + companies.archive, in: directory.path)
    #expect(verdict.code == 0, "trial \(trial): \(verdict.output)")
    #expect(verdict.last.hasSuffix("lost 0 duplicated 0 open 0"), "\(verdict.last)")
    if trial == 0 { try tamper(companies, in: directory.path) }
  }

  /// What a client saw, held against the archive, without the numbers that the logger gives its records: every answer has its access record, once.
  private func checkAnswers(_ seen: [String], _ records: [JSONRecord], _ trial: Comment) throws {
    let access = records.filter { $0["duration_ms"] != nil }.compactMap { $0["request.id"] as? String }
    let times = Dictionary(access.map { ($0, 1) }, uniquingKeysWith: +)
    #expect(times.filter { $0.value > 1 }.isEmpty, trial)
    for number in 0..<5 { #expect(times["after-\(number)"] == 1, trial) }
    #expect(Set(seen).count == seen.count && seen.count > 100, trial)
    // A record is made when the kernel has taken the answer: between the two the worker may have died, once in its one event loop.
    let without = seen.filter { times[$0] == nil }
    #expect(without.count <= 1, "\(trial): answers without a record: \(without.prefix(5))")
    // Each connection had one request under way when the worker died, and one when the load ended.
    let unseen = Set(access.filter { $0.hasPrefix(Load.prefix) }).subtracting(seen)
    #expect(unseen.count <= 2 * Load.connections, "\(trial): records of answers that nobody saw: \(unseen.prefix(5))")
  }

  /// Worker, pid, signal and uptime; and a new worker that was ready within a second in which the machine ran.
  private func checkCrashRecord(
    _ records: [JSONRecord], _ victim: pid_t, _ clock: StillClock, _ trial: Int
  ) throws {
    let crash = try #require(records.first { $0.msg == "worker crashed" }, "trial \(trial)")
    #expect(crash.level == "critical" && crash.logger == "supervisor")
    #expect(crash.integer("pid") == Int(victim) && crash.signal == "SIGKILL")
    #expect(crash["uptime"] is NSNumber && crash.integer("restarts") == 0)
    let worker = try #require(crash.integer("worker"))
    let died = try #require(crash.time)
    let ready = try #require(
      records.first { $0.msg == "worker ready" && $0.integer("worker") == worker && ($0.time ?? "") > died },
      "trial \(trial): no new worker")
    let pause = try clock.running(from: #require(seconds(died)), to: #require(ready.time.flatMap(seconds)))
    #expect(pause < 1, "trial \(trial)")
  }

  private func seconds(_ time: String) -> Double? {
    guard let date = try? Date(String(time.prefix(19)) + "Z", strategy: .iso8601),
      let fraction = Double("0." + time.dropFirst(20).dropLast())
    else { return nil }
    return date.timeIntervalSince1970 + fraction
  }

  /// An archive with one line removed, its end removed, or one line doubled is found out.
  private func tamper(_ companies: Companies, in directory: String) throws {
    let path = try #require(companies.archive.first)
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(companies.archive.count == 1, "midnight struck during the test: run it again")
    for index in stride(from: 0, to: lines.count, by: max(1, lines.count / 12)) {
      try expectRefused(lines[..<index] + lines[(index + 1)...], "line \(index + 1) removed", in: directory)
      try expectRefused(lines[...index] + lines[index...], "line \(index + 1) doubled", in: directory)
    }
    for cut in [1, 2, lines.count / 2] { try expectRefused(lines.dropLast(cut), "\(cut) lines cut off", in: directory) }
  }

  private func expectRefused(_ lines: some Collection<Substring>, _ what: String, in directory: String) throws {
    let path = directory + "/tampered.ndjson"
    try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: false, encoding: .utf8)
    let verdict = try TreeRing.run("verify", path, in: directory)
    #expect(verdict.code == 1, "\(what): \(verdict.last)")
  }

  @Test func crashesOfEveryKindAreRecordsAndAreServedThrough() throws {
    let directory = try TemporaryDirectory()
    let companies = try Companies(in: directory.path, environment: ["COMPANIES_CHAOS": "1"])
    for (path, signal) in [("/chaos/trap", "SIGILL"), ("/chaos/abort", "SIGABRT")] {
      _ = try Curl.get(companies.port, path)
      #expect(try Curl.get(companies.port, "/companies/3").status == 200)
      let isTold = try waitUntil {
        try companies.recordsSoFar().contains { $0.msg == "worker crashed" && $0.signal == signal }
      }
      #expect(isTold, "\(path)")
    }
    #expect(companies.stop() == .exit(0))
    let verdict = try TreeRing.run(program: "treering", ["verify"] + companies.archive, in: directory.path)
    #expect(verdict.code == 0, "\(verdict.output)")
  }

  @Test func noWorkerOutlivesItsSupervisorAndTheNextStartGoesOn() throws {
    let directory = try TemporaryDirectory()
    let first = try Companies(in: directory.path, environment: ["COMPANIES_CHAOS": "1"])
    // A worker that hangs must go too.
    let hung = try ChildProcess("/usr/bin/curl", ["-s", "-m", "3", "http://127.0.0.1:\(first.port)/chaos/hang"])
    for _ in 0..<20 { _ = try Curl.get(first.port, "/companies/5", ["-m", "1"]) }
    let workers = first.workers
    #expect(workers.count == 2)
    let clock = StillClock()
    let killed = StillClock.now()
    first.process.kill(SIGKILL)
    #expect(waitUntil { !workers.contains(where: isRunning) })
    #expect(clock.running(from: killed, to: StillClock.now()) < 1)
    first.process.wait()
    hung.wait()
    let second = try Companies(in: directory.path)
    #expect(second.stop() == .exit(0))
    let verdict = try TreeRing.run(program: "treering", ["verify"] + second.archive, in: directory.path)
    #expect(verdict.code == 0, "\(verdict.output)")
    let left = try FileManager.default.contentsOfDirectory(atPath: second.rings)
    #expect(left.isEmpty, "\(left)")
  }
}

/// A load by wrk of two seconds, every request with an id of its own, and the ids of the answers that came.
private struct Load {
  static let connections = 16
  static let prefix = "load-"

  private let process: ChildProcess
  private let ids: String

  init(_ port: UInt16, in directory: TemporaryDirectory) throws {
    ids = directory.file("ids")
    let script = directory.file("load.lua")
    try """
    local number = 0
    local seen = io.open("\(ids)", "w")
    request = function()
      number = number + 1
      return wrk.format("GET", nil, { ["X-Request-ID"] = "\(Self.prefix)" .. number })
    end
    response = function(status, headers)
      if status ~= 200 then seen:write("status ", status, "\\n") end
      for name, value in pairs(headers) do
        if name:lower() == "x-request-id" then seen:write(value, "\\n") end
      end
    end
    """.write(toFile: script, atomically: false, encoding: .utf8)
    process = try ChildProcess(
      "/usr/bin/wrk",
      ["-t1", "-c\(Self.connections)", "-d2s", "-s", script, "http://127.0.0.1:\(port)/companies/7"],
      errors: directory.file("wrk-errors"))
  }

  /// Waits for its end; as it counts itself, so many answers are known by their ids.
  func finish() throws -> [String] {
    let report = process.readAll()
    #expect(process.wait() == .exit(0), "\(report)\(process.errors)")
    let seen = try String(contentsOfFile: ids, encoding: .utf8).split(separator: "\n").map(String.init)
    #expect(report.contains("\(seen.count) requests in "), "\(seen.count) ids, but \(report)")
    return seen
  }
}
