import CTreeRing
import Foundation
import TestSupport
import Testing

@testable import TreeRing

/// What a program that crashes leaves behind: whatever it crashed by, and whichever handlers were there before.
@Suite struct CrashReportTests {
  private func crash(
    _ how: String, _ signal: Int32, environment: [String: String] = [:], lines: Int = 3
  ) throws -> (report: CrashReport, run: StormRun) {
    let run = try StormRun(["TREERING_CRASH": "on", "TREERING_FLIGHT": "on"].merging(environment) { $1 })
    let child = try run.start("crash", how, "\(lines)")
    #expect(child.readLine() == "ready", "\(child.errors)")
    if how == "kill" { child.kill(SIGKILL) }
    #expect(child.wait() == .signal(signal), "\(how)")
    let report = try #require(CrashReport.take(ofProcess: child.pid, in: run.directory.file("rings")), "\(how)")
    #expect(report.pid == UInt32(child.pid))
    return (report, run)
  }

  @Test(arguments: [("trap", SIGILL), ("abort", SIGABRT), ("segv", SIGSEGV), ("null", SIGSEGV), ("bus", SIGBUS)])
  func tellsSignalFramesAndLastLines(how: String, signal: Int32) throws {
    let (report, run) = try crash(how, signal)
    #expect(report.signal == signal)
    let age = Int64(Date().timeIntervalSince1970) - Int64(report.time / 1_000_000_000)
    #expect(0...60 ~= age)
    let lines = report.lines()
    #expect(lines.count == 4)
    #expect(lines.first?.hasSuffix(" storm:crash step 0") == true, "\(lines)")
    #expect(lines.first?.hasPrefix("20") == true)
    let frames = report.backtrace()
    #expect(frames.contains { $0.contains("LogStorm.Crash.crash(") }, "\(frames)")
    #expect(frames.contains { $0.contains("LogStorm.Crash.run()") }, "\(frames)")
    #expect(run.directory.names(in: "rings").allSatisfy { !$0.hasSuffix(".box") }, "it is removed by who takes it")
  }

  @Test func theFirstFrameIsWhereItHappened() throws {
    let (report, _) = try crash("segv", SIGSEGV)
    #expect(report.faultAddress == 0x10)
    #expect(report.backtrace().first?.contains("touchNowhere") == true, "\(report.backtrace())")
    #expect(report.threadName == "LogStorm" && report.thread == report.pid)
  }

  @Test func anyThreadMayCrash() throws {
    let (report, _) = try crash("thread", SIGILL)
    #expect(report.thread != report.pid)
    #expect(report.backtrace().contains { $0.contains("trapBehindTheEnd") })
  }

  /// A stack that is used up cannot carry the handler: it has one of its own.
  @Test(arguments: ["stack", "stack-thread"])
  func aStackThatIsFullIsTold(how: String) throws {
    let (report, _) = try crash(how, SIGSEGV)
    #expect(report.signal == SIGSEGV)
    #expect(report.frames.count == Int(TR_BOX_FRAMES))
    #expect(report.backtrace().allSatisfy { $0.contains("recurse") })
  }

  /// The language's own handler runs as well: both tell.
  @Test func theRuntimesOwnReportComesToo() throws {
    let run = try StormRun()
    let reports = run.directory.file("reports")
    try FileManager.default.createDirectory(atPath: reports, withIntermediateDirectories: false)
    let backtracer = try #require(Self.backtracer, "the toolchain has no swift-backtrace")
    let setting =
      "enable=yes,interactive=no,color=no,format=json,symbolicate=off,output-to=\(reports)/,swift-backtrace=\(backtracer)"
    for (how, signal) in [("trap", SIGILL), ("abort", SIGABRT), ("bus", SIGBUS)] {
      let (report, _) = try crash(how, signal, environment: ["SWIFT_BACKTRACE": setting])
      #expect(report.signal == signal && report.frames.count > 2)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: reports).count == 3)
  }

  private static var backtracer: String? {
    let paths = LoadedFiles.paths(of: "self")
    let core = paths.first { $0.hasSuffix("/lib/swift/linux/libswiftCore.so") }
    let usr = core?.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")
    let path = (usr ?? "/usr") + "/libexec/swift/linux/swift-backtrace"
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }

  /// A signal from outside kills as well: the language's handler alone would let the process run on.
  @Test(arguments: [SIGSEGV, SIGBUS])
  func aSignalThatWasSentEndsIt(signal: Int32) throws {
    let run = try StormRun(["TREERING_CRASH": "on", "TREERING_FLIGHT": "on"])
    let child = try run.start("crash", "kill")
    #expect(child.readLine() == "ready")
    child.kill(signal)
    #expect(child.wait() == .signal(signal))
    let report = try #require(CrashReport.take(ofProcess: child.pid, in: run.directory.file("rings")))
    #expect(report.signal == signal && report.faultAddress == 0)
  }

  /// Whoever reads the rings catches SIGBUS, and passes on what is not of his own doing: with nobody to watch it goes as if he were not there.
  @Test func aSIGBUSOfAProgramThatIsNotWatchedKeepsItsMeaning() throws {
    // The language's own handler, where it is on, lets a program go on that was sent one.
    let run = try StormRun(["SWIFT_BACKTRACE": "enable=no"])
    let go = run.directory.file("go")
    let faulty = try run.start("crash", "bus")
    #expect(faulty.readLine() == "ready")
    #expect(faulty.wait() == .signal(SIGBUS))
    let killed = try run.start("steps", go)
    #expect(killed.readLine() == "step 0")
    killed.kill(SIGBUS)
    #expect(killed.wait() == .signal(SIGBUS), "the first one is not lost")
    let script = "trap '' BUS; exec '\(BuiltProducts.program("LogStorm"))' steps '\(go)'"
    let ignoring = try ChildProcess("/bin/sh", ["-c", script], environment: run.environment)
    #expect(ignoring.readLine() == "step 0")
    ignoring.kill(SIGBUS)
    try Data().write(to: URL(fileURLWithPath: go + ".end"))
    #expect(ignoring.wait() == .exit(0), "one that was sent and is ignored is ignored")
  }

  /// SIGKILL leaves no time to write anything down; the lines are there already.
  @Test func theLinesOfAKilledProcessAreThere() throws {
    let (report, _) = try crash("kill", SIGKILL)
    #expect(report.signal == nil && report.frames.isEmpty)
    #expect(report.lines().count == 4)
  }

  @Test func theLastLinesAreKept() throws {
    let (report, _) = try crash("abort", SIGABRT, lines: 1000)
    let lines = report.lines()
    #expect(lines.count == Int(TR_FLIGHT_LINES))
    #expect(lines.dropLast().map { $0.split(separator: " ").last.flatMap { Int($0) } } == (873..<1000).map { $0 })
  }

  @Test func noSecretIsWrittenDown() throws {
    let run = try StormRun(["TREERING_CRASH": "on", "TREERING_FLIGHT": "on"])
    let child = try run.start("crash", "abort")
    #expect(child.wait() == .signal(SIGABRT))
    let box = try #require(run.directory.names(in: "rings").first { $0.hasSuffix(".box") })
    let bytes = try Data(contentsOf: URL(fileURLWithPath: run.directory.file("rings/\(box)")))
    #expect(bytes.range(of: Data("signed in with".utf8)) != nil, "the line is there")
    #expect(bytes.range(of: Data("correct-horse".utf8)) == nil)
  }

  @Test func nothingIsLeftByAProcessThatEnds() throws {
    let run = try StormRun(["TREERING_CRASH": "on", "TREERING_FLIGHT": "on"])
    try run.finish("crash", "ends")
    #expect(run.directory.names(in: "rings") == [])
    let records = try run.records()
    #expect(records.contains { $0.msg == "ends" })
    #expect(records.allSatisfy { $0.ns == nil }, "what went aside is not in the stream")
  }

  /// Boxes that nobody asked for: they are told at the next start, or go after a day. Those of living processes stay.
  @Test func whatIsLeftBehindIsFoundOnceAndDoesNotPileUp() throws {
    let run = try StormRun(["TREERING_CRASH": "on"])
    let rings = run.directory.file("rings")
    let living = try run.start("crash", "kill")
    #expect(living.readLine() == "ready", "\(living.errors)")
    for _ in 0..<2 { try run.start("crash", "abort").wait() }
    let now = Syscalls.now(CLOCK_REALTIME)
    #expect(CrashReport.takeAll(of: "Log", in: rings).isEmpty)
    #expect(CrashReport.takeAll(of: "LogStorm", in: rings).map(\.signal) == [SIGABRT, SIGABRT])
    #expect(CrashReport.takeAll(of: "LogStorm", in: rings).isEmpty)
    try run.start("crash", "abort").wait()
    for box in run.directory.names(in: "rings") where box.hasSuffix(CrashReport.suffix) {
      let times = [timespec](repeating: timespec(tv_sec: .max, tv_nsec: 0), count: 2)
      #expect(unsafe utimensat(AT_FDCWD, run.directory.file("rings/\(box)"), times, 0) == 0)
      CrashReport.removeOld(in: rings, now: now)
      let ours = [timespec](repeating: timespec(tv_sec: Int(now / 1_000_000_000), tv_nsec: 0), count: 2)
      #expect(unsafe utimensat(AT_FDCWD, run.directory.file("rings/\(box)"), ours, 0) == 0)
    }
    CrashReport.removeOld(in: rings, now: now + 80_000_000_000_000)
    #expect(boxes(run) == 2)
    CrashReport.removeOld(in: rings, now: now + 90_000_000_000_000)
    #expect(boxes(run) == 1)
    living.kill(SIGKILL)
  }

  private func boxes(_ run: StormRun) -> Int {
    run.directory.names(in: "rings").count { $0.hasSuffix(CrashReport.suffix) }
  }

  @Test func nothingIsWrittenUnasked() throws {
    let run = try StormRun()
    let child = try run.start("crash", "abort")
    #expect(child.wait() == .signal(SIGABRT))
    #expect(run.directory.names(in: "rings").allSatisfy { !$0.hasSuffix(".box") })
  }

  // MARK: any bytes

  @Test func anyBytesCanBeRead() throws {
    var random = SeededGenerator("crash report")
    let good = try Self.box("segv")
    #expect(CrashReport(bytes: good) != nil)
    for _ in 0..<2000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...64, using: &random) {
        let end = Bool.random(using: &random) ? 700 : bytes.count
        bytes[Int.random(in: 8..<end, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      bytes.removeLast(Bool.random(using: &random) ? 0 : Int.random(in: 0..<bytes.count, using: &random))
      guard let report = CrashReport(bytes: bytes) else { continue }
      #expect(report.frames.count <= 64 && report.lines().count <= Int(TR_FLIGHT_LINES), "seed \(random.seed)")
    }
  }

  private static func box(_ how: String) throws -> [UInt8] {
    let run = try StormRun(["TREERING_CRASH": "on", "TREERING_FLIGHT": "on"])
    try run.start("crash", how).wait()
    let name = try #require(run.directory.names(in: "rings").first { $0.hasSuffix(".box") })
    return try Array(Data(contentsOf: URL(fileURLWithPath: run.directory.file("rings/\(name)"))))
  }
}
