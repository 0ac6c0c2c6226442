import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// How the writer thread runs: its options, its sleep, what is left of it after a long time.
@Suite struct WriterThreadTests {
  private func options(_ value: String) -> (LogConfiguration, [String]) {
    var complaints: [String] = []
    let configuration = LogConfiguration.environment({ $0 == "TREERING_WRITER" ? value : nil }) {
      complaints.append($0)
    }
    return (configuration, complaints)
  }

  @Test func optionsAreReadFromTheEnvironment() {
    #expect(options("thread").0.writerThread == .init())
    #expect(options("external").0.writer == .external)
    let (configuration, complaints) = options("thread?nice=10&cores=0,2-3&name=log-writer")
    #expect(complaints == [] && configuration.writer == .thread)
    #expect(configuration.writerThread == .init(name: "log-writer", nice: 10, cores: [0, 2, 3]))
  }

  @Test(arguments: [
    "thread?", "thread?nice", "thread?nice=20", "thread?nice=x", "thread?cores=3-1", "thread?cores=-1",
    "thread?cores=a",
    "thread?cores=1024", "thread?cores=0,", "thread?x=1", "external?nice=1", "threads",
  ])
  func whatIsNotUnderstoodIsTold(value: String) {
    let (configuration, complaints) = options(value)
    #expect(complaints.count == 1)
    #expect(complaints.allSatisfy { $0.contains("TREERING_WRITER=\(value)") && $0.contains("nice=10&cores=0,2-3") })
    #expect(configuration.writerThread == .init())
  }

  /// As the kernel shows them.
  @Test func optionsReachTheThread() throws {
    let core = try #require(try allowedCore())
    let run = try StormRun(["TREERING_WRITER": "thread?nice=11&cores=\(core)&name=a-long-name-for-a-thread"])
    let child = try run.start("idle", "60000")
    defer { child.kill(SIGKILL) }
    #expect(child.readLine() == "idle begins", "\(child.errors)")
    let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(child.pid)/task")
    let writer = try #require(
      tasks.first { task in
        (try? text("/proc/\(child.pid)/task/\(task)/comm"))?.hasPrefix("a-long-name-for") == true
      })
    let stat = try text("/proc/\(child.pid)/task/\(writer)/stat")
    let fields = stat[stat.index(after: try #require(stat.lastIndex(of: ")")))...].split(separator: " ")
    #expect(fields[16] == "11", "nice, field 19 of proc_pid_stat(5): \(stat)")
    let status = try text("/proc/\(child.pid)/task/\(writer)/status").split(separator: "\n")
    #expect(status.contains("Cpus_allowed_list:\t\(core)"))
    let main = try text("/proc/\(child.pid)/stat").split(separator: ")").last?.split(separator: " ")
    #expect(main?[16] == "0", "the program's own threads keep theirs")
    #expect(child.errors == "")
  }

  @Test func whatTheKernelRefusesIsTold() throws {
    let run = try StormRun(["TREERING_WRITER": "thread?cores=1000"])
    let child = try run.start("1", "10")
    #expect(child.wait() == .exit(0))
    #expect(child.errors.contains("cannot keep the writer thread on the cores [1000]"))
    #expect(try StreamAccount(run.records()).faults == [])
  }

  private func allowedCore() throws -> Int? {
    let status = try text("/proc/self/status").split(separator: "\n")
    let line = status.first { $0.hasPrefix("Cpus_allowed_list:") }
    return line?.split(separator: "\t").last.flatMap { Int($0.prefix(while: \.isNumber)) }
  }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  // MARK: sleep

  /// Between two lines that the program prints, two seconds apart, no thread of it makes a system call.
  @Test func anIdleProcessDoesNotWakeUp() throws {
    let run = try StormRun()
    let (trace, go) = (run.directory.file("trace"), run.directory.file("go"))
    let child = try ChildProcess(
      "/usr/bin/strace", ["-f", "-o", trace, BuiltProducts.program("LogStorm"), "idle", "2000", go],
      environment: run.environment, errors: run.directory.file("errors"))
    guard child.readLine() == "idle soon" else {
      return print("not run: strace cannot trace here: \(child.errors.prefix(100))")
    }
    _ = try WriterWatch(run).waitUntilParked()
    try Data().write(to: URL(fileURLWithPath: go))
    #expect(child.readAll().contains("idle ends"))
    #expect(child.wait() == .exit(0), "\(child.errors)")
    let lines = try text(trace).split(separator: "\n")
    let begin = try #require(lines.firstIndex { $0.contains("idle begins") })
    let end = try #require(lines.firstIndex { $0.contains("idle ends") })
    let between = lines[(begin + 1)..<end].filter { !$0.contains("clock_nanosleep") && !$0.contains("brk(") }
    #expect(between == [], "the program's own sleep, and memory for its two lines, are the only calls")
    #expect(lines.contains { $0.contains("membarrier") }, "the writer is traced, too")
    #expect(try run.records().contains { $0.msg == "after" })
  }

  /// No record waits for a sleeping writer. How long it takes is printed, and not asserted: that depends on the machine. Most of the second run's records come
  /// when the writer has just begun to park, or is about to. `TREERING_WAKES` is the number of records.
  @Test(arguments: ["wake", "wake-external"], [(0, 30_000), (3_500, 6_500)])
  func whoeverDrainsIsWoken(mode: String, pause: (shortest: Int, longest: Int)) throws {
    let run = try StormRun()
    let trials = environment("TREERING_WAKES", default: 100)
    let limit = ChildProcess.patience + .milliseconds(trials * 100)
    let output = try run.finish(mode, "\(trials)", "\(pause.shortest)", "\(pause.longest)", within: limit)
    print(
      "\(mode): a record after \(pause.shortest) to \(pause.longest) µs of silence, in µs: \(output)", terminator: "")
    #expect(output.hasPrefix("median "), "\(output)")
  }

  // MARK: a long time

  /// One after the other: two rings do for all of them, and memory stays as it is.
  @Test func tenThousandThreadsNeedTwoRings() throws {
    // A ring holds them all, should the writer get no turn meanwhile.
    let run = try StormRun(["TREERING_RING_SIZE": "1MiB"])
    let numbers = try run.finish("threads", "10000").split { !$0.isNumber }.compactMap { Int($0) }
    #expect(numbers.count == 3)
    #expect(numbers[0] <= 3)
    #expect(numbers[2] < numbers[1] + 2048, "KiB after 1,000 and 10,000 threads: \(numbers)")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    #expect(account.records.count == 10_000)
  }

  /// `TREERING_SOAK` is the number of seconds; a night's run asks for 3,600. The longer it takes, the longer each thread waits for its turn (`TREERING_SOAK_PAUSE`, in
  /// microseconds): no run writes more than a few million lines, for each of them is read here.
  @Test func nothingGrowsInALongRun() throws {
    let seconds = environment("TREERING_SOAK", default: 12)
    let run = try StormRun()
    let pause = environment("TREERING_SOAK_PAUSE", default: max(2_000, (seconds - 12) * 1_200))
    let child = try run.start("soak", "\(seconds)", "\(pause)")
    let limit = ChildProcess.patience + .seconds(2 * seconds)
    func numbers() throws -> [Int] {
      try #require(child.readLine(within: limit)).split(separator: " ").compactMap { Int($0) }
    }
    let states = try [numbers(), numbers()]
    let counters = try numbers()
    #expect(child.wait() == .exit(0), "\(child.errors)")
    print("soak of \(seconds) s (KiB, descriptors, threads): \(states); emitted, written, dropped, rings: \(counters)")
    let (early, late) = (states[0], states[1])
    #expect(late[0] < early[0] + 4096, "resident memory")
    #expect(late[1] == early[1], "descriptors")
    #expect(late[2] <= early[2] + 4, "threads: four generations of one thread each")
    #expect(counters[0] == counters[1], "what was emitted is written")
    let account = try StreamAccount(run.records())
    #expect(account.faults == [])
    #expect(account.records.count == counters[0])
    #expect(account.rings.values.reduce(0) { $0 + $1.dropped } == counters[2])
  }
}
