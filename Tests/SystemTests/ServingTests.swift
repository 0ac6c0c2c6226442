import Foundation
import TestSupport
import Testing

/// The whole system in one command, from the outside.
@Suite(.serialized)
struct ServingTests {
  @Test func everyRouteAnswersAndTheArchiveHoldsOneRecordPerRequest() throws {
    let directory = try TemporaryDirectory()
    let companies = try Companies(in: directory.path)
    let before = try Curl.get(companies.port, "/companies/1")
    #expect(before.status == 200)
    let json = ["-H", "Content-Type: application/json"]
    let company =
      #"{"name":"Hopper Ltd","city":"Ulm","country":"DE","industry":"software","employees":3,"founded":2001}"#
    let requests: [(path: String, options: [String], status: Int)] = [
      ("/companies/2", [], 200), ("/companies/999999", [], 404), ("/companies/none", [], 400),
      ("/search?params=%7B%22a%22%3A1%7D", [], 200), ("/search?params=%7Bbad", [], 400), ("/search", [], 400),
      ("/health/live", [], 200), ("/health/ready", [], 200), ("/", [], 200), ("/nothing", [], 404),
      ("/chaos/trap", [], 404), ("/../etc/passwd", ["--path-as-is"], 0),
      ("/companies", json + ["-d", company], 201), ("/companies", json + ["-d", "{bad"], 0),
    ]
    for (index, request) in requests.enumerated() {
      let answer = try Curl.get(companies.port, request.path, ["-H", "X-Request-ID: test-\(index)"] + request.options)
      if request.status > 0 {
        #expect(answer.status == request.status, "\(request.path): \(answer.body)")
      } else {
        #expect((400..<500).contains(answer.status), "\(request.path): \(answer.status)")
      }
      if request.path.hasSuffix("%7Bbad") { #expect(answer.body.contains("Invalid JSON string")) }
    }
    #expect(companies.stop() == .exit(0))
    let access = try companies.records().filter { $0["duration_ms"] != nil }
    for (index, request) in requests.enumerated() {
      let mine = access.filter { $0["request.id"] as? String == "test-\(index)" }
      #expect(mine.count == 1, "\(request.path)")
      #expect(mine.first?.method == (request.options.contains("-d") ? "POST" : "GET"))
      #expect(mine.first?.integer("status") != nil && mine.first?.path != nil && mine.first?.client == "127.0.0.1")
      #expect(mine.first?.integer("bytes") != nil && mine.first?.route != nil)
    }
    let verdict = try TreeRing.run(program: "treering", ["verify"] + companies.archive, in: directory.path)
    #expect(verdict.code == 0, "\(verdict.output)\(verdict.errors)")
  }

  /// Without TREERING_DIR it keeps its rings apart, a level below the standard place: commands that are given no place look there, too.
  @Test func commandsFindItsRingsByThemselves() throws {
    let directory = try TemporaryDirectory()
    let variables = ["XDG_RUNTIME_DIR": directory.path]
    let companies = try Companies(in: directory.path, environment: variables)
    for command in [["rings", "--json"], ["debug", "list", "--json"], ["tail", "--json", "--no-follow"]] {
      let seen = try TreeRing.run(program: "treering", command, in: directory.path, environment: variables)
      #expect(seen.code == 0, "\(command): \(seen.errors)")
      for worker in companies.workers { #expect(seen.output.contains("\(worker)"), "\(command): \(seen.output)") }
    }
    #expect(companies.stop() == .exit(0))
  }

  @Test func productionErrorsAreTerse() throws {
    let directory = try TemporaryDirectory()
    let companies = try Companies(in: directory.path, environment: ["APP_ENV": "production", "COMPANIES_CHAOS": "1"])
    let answer = try Curl.get(companies.port, "/chaos/error")
    #expect(answer.status == 500)
    #expect(!answer.body.contains("Companies.") && !answer.body.contains("detail"), "\(answer.body)")
    #expect(companies.stop() == .exit(0))
  }

  @Test func workersHaveNoFileOfTheArchiveOpen() throws {
    let directory = try TemporaryDirectory()
    let companies = try Companies(in: directory.path)
    for worker in companies.workers {
      let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(worker)/fd").compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(worker)/fd/\($0)")
      }
      #expect(!descriptors.isEmpty)
      #expect(!descriptors.contains { $0.contains("/archive/") }, "\(descriptors)")
    }
    #expect(companies.stop() == .exit(0))
  }

  /// Every system call by which a worker's threads could write, under load, as the kernel sees it: to sockets and to what wakes an event loop, and nothing else.
  @Test func workersWriteToNothingButTheirSockets() throws {
    let directory = try TemporaryDirectory()
    let companies = try Companies(in: directory.path)
    let workers = companies.workers
    let trace = directory.file("trace")
    let calls =
      "write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,splice,copy_file_range,io_uring_enter"
    let strace = try ChildProcess(
      "/usr/bin/strace",
      ["-f", "-y", "-e", "trace=" + calls, "-e", "signal=none", "-o", trace] + workers.flatMap { ["-p", "\($0)"] },
      errors: directory.file("strace-errors"))
    // It says of each process that it has it.
    let isAttached = waitUntil {
      strace.errors.components(separatedBy: " attached").count > workers.count || !isRunning(strace.pid)
    }
    guard isAttached, isRunning(strace.pid) else {
      return print("not run: strace cannot trace here: \(strace.errors.prefix(100))")
    }
    let load = try ChildProcess(
      "/usr/bin/wrk", ["-t1", "-c8", "-d1s", "http://127.0.0.1:\(companies.port)/companies/7"])
    let report = load.readAll()
    let answers = try #require(
      report.split(separator: "\n").first { $0.contains(" requests in ") }.flatMap { Int($0.split(separator: " ")[0]) })
    // Errors are told, too: a request that cannot be understood, and one that leads nowhere.
    for path in ["/companies/none", "/nothing"] { _ = try Curl.get(companies.port, path) }
    strace.kill(SIGINT)
    strace.wait()
    #expect(companies.stop() == .exit(0))
    var sent = 0
    for line in try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n") {
      // `PID call(DESCRIPTOR<what it is>, …`; a call that another thread's interrupts goes on in a line of its own, without them.
      guard let call = line.split(separator: " ", maxSplits: 1).last, let open = call.firstIndex(of: "("),
        let begin = call[open...].firstIndex(of: "<")
      else { continue }
      let target = call[call.index(after: begin)...].prefix { $0 != ">" }
      if target.hasPrefix("socket:") || target.hasPrefix("TCP") {
        sent += 1
      } else {
        #expect(target.hasPrefix("anon_inode:[eventfd]") || target.hasPrefix("pipe:"), "\(line)")
      }
      #expect(!["0<", "1<", "2<"].contains { call[open...].dropFirst().hasPrefix($0) }, "\(line)")
    }
    #expect(answers > 0 && sent >= answers, "the trace has \(sent) writes to sockets, for \(answers) answers")
    let records = try companies.records().filter { $0["duration_ms"] != nil }
    #expect(records.count >= answers, "and all of them are in the archive")
  }
}
