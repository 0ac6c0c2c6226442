import Foundation
import LogShipper
import TestSupport
import Testing

@Suite struct VerificationTests {
  private let directory = TestDirectory()
  private let complete = "emitted 34 delivered 17 dropped 17 lost 0 duplicated 0 open 0"

  @Test func completeArchiveEndsWithTheSixNumbers() throws {
    let run = Run([try directory.write(SampleArchive.varied.lines)])
    #expect(run.code == 0)
    #expect(run.lines.last == complete)
    #expect(run.lines.count == 2 && run.complaints.isEmpty)
  }

  @Test func filesMayComeInAnyOrder() throws {
    let lines = SampleArchive.varied.lines
    let first = try directory.write(Array(lines[..<11]))
    let second = try directory.write(Array(lines[11...]))
    #expect(Run([first, second]).code == 0)
    #expect(Run([second, first]).lines.last == complete)
    #expect(Run([first]).code == 1 && Run([second]).code == 1)
  }

  @Test func blankLinesAndCarriageReturnsAreNoDefect() throws {
    let lines = SampleArchive.varied.lines.flatMap { [$0 + "\r", "", " \t\r"] }
    #expect(Run([try directory.write(lines)]).lines.last == complete)
  }

  @Test func anEmptyFileProvesNothing() throws {
    let run = Run([try directory.write([] as [String])])
    #expect(run.code == 1)
    #expect(run.lines.first == "0 lines in 1 files: 0 processes, 0 rings; there is nothing to verify")
  }

  @Test func problemsComeWithPlaceAndNextStep() throws {
    var lines = SampleArchive.varied.lines
    lines.append(lines[6])
    lines.remove(at: 2)
    lines.append("not JSON")
    let path = try directory.write(lines)
    let run = Run([path])
    #expect(run.code == 1)
    let ring = "ring 0123456789abcdef0123456789abcdef"
    #expect(run.lines.contains("malformed: \(path):29: a record begins with {, at byte 0"))
    #expect(run.lines.contains("lost: \(ring).0 (pid 4711): 1 records missing: seq 2"))
    #expect(run.lines.contains("duplicated: \(path):28: \(ring).2 (pid 4711): seq 1 is repeated"))
    #expect(run.lines.count { $0.hasPrefix("  next: ") } == 3)
    #expect(run.lines.contains { $0.hasPrefix("0123456789abcdef0123456789abcdef  4711    3/3       18") })
    #expect(run.lines.last == "emitted 34 delivered 16 dropped 17 lost 1 duplicated 1 open 0")
  }

  @Test func aCutLastLineIsMalformedUnlessItIsLive() throws {
    let lines = SampleArchive.varied.lines
    let whole = lines.map { $0 + "\n" }.joined()
    for cut in [1, 2, 40] {
      let path = try directory.write(Data(whole.utf8.dropLast(cut)))
      let run = Run([path])
      #expect(run.code == 1)
      #expect(run.lines.contains { $0.hasPrefix("malformed: \(path):28: ") })
      let live = Run([path], live: true)
      #expect(live.code == 0)
      #expect(live.lines.contains("note: \(path):28 is being written, or was cut"))
    }
  }

  @Test func liveAllowsOpenRings() throws {
    let path = try directory.write((0..<3).map { SampleArchive.record("a.0", $0) })
    #expect(Run([path]).code == 1)
    let live = Run([path], live: true)
    #expect(live.code == 0)
    #expect(live.lines.last == "emitted 3 delivered 3 dropped 0 lost 0 duplicated 0 open 1")
  }

  @Test func jsonHasTheSameNumbers() throws {
    var lines = SampleArchive.varied.lines
    lines.remove(at: 0)
    lines.append("{\"oops\u{1}\": 1}")
    let path = try directory.write(lines, name: "a \"quoted\" name")
    let run = Run([path], json: true)
    #expect(run.code == 1 && run.lines.count == 1)
    let parsed = try JSONSerialization.jsonObject(with: Data(run.lines.joined().utf8))
    let object = try #require(parsed as? [String: Any])
    let expected = [
      "emitted": 34, "delivered": 16, "dropped": 17, "lost": 1, "duplicated": 0, "open": 0, "malformed": 1,
      "contradictions": 0, "foreign": 0, "lines": 28, "files": 1,
    ]
    for (name, number) in expected { #expect(object[name] as? Int == number, "\(name)") }
    #expect(object["complete"] as? Bool == false)
    let problems = try #require(object["problems"] as? [[String: String]])
    #expect(problems.map { $0["kind"] } == ["malformed", "lost"])
    #expect(problems[0]["text"]?.contains("a \"quoted\" name:28") == true)
    #expect((object["processes"] as? [[String: Any]])?.count == 3)
  }

  @Test func verboseShowsEveryProcess() throws {
    let run = Run([try directory.write(SampleArchive.varied.lines)], verbose: true)
    #expect(run.lines.count { $0.hasPrefix("short-1") || $0.hasPrefix("feed") || $0.hasPrefix("0123") } == 3)
    #expect(run.lines.last == complete)
  }

  @Test func wrongArgumentsSayWhatToDo() throws {
    #expect(Run([]).code == 64)
    #expect(Run([]).complaints.first?.contains("needs the files of an archive") == true)
    let path = try directory.write(SampleArchive.varied.lines)
    for (paths, text) in [
      ([directory.path], "is a directory"), ([path, "/nowhere"], "there is no file /nowhere"),
      ([path, directory.path + "/./" + (path as NSString).lastPathComponent], "is the same file as"),
    ] {
      let run = Run(paths)
      #expect(run.code == 1 && run.lines.isEmpty)
      #expect(run.complaints.first?.contains(text) == true)
    }
  }

  /// In a process of its own, whose memory is the reader's alone. 50,000 lines, or as many as `TREERING_TEST_LINES` says.
  @Test(arguments: [false, true])
  func longArchiveIsReadInBoundedMemory(isShuffled: Bool) async throws {
    let count = ProcessInfo.processInfo.environment["TREERING_TEST_LINES"].flatMap { Int($0) } ?? 50_000
    let (short, long) = (try archive(5000, isShuffled: isShuffled), try archive(count, isShuffled: isShuffled))
    // In order: as much as of a short one, give or take. Shuffled: at the height of it, a run of 16 bytes for every fourth line or so besides.
    let limit = isShuffled ? 4096 + count / 50 : 4096
    let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
      [short = short as String, long = long as String, limit = limit as Int] in
      // A short one first, for the buffer of 1 MiB and for what the language needs: how much of the code the kernel maps at a time depends on how that came into
      // its cache.
      guard Run([short]).code == 0 else { exit(2) }
      let before = VerificationTests.peakKilobytes()
      let run = Run([long])
      let growth = VerificationTests.peakKilobytes() - before
      print("peak memory grew by \(growth) KiB, of \(limit) at most")
      if run.code != 0 { exit(3) }
      exit(growth < limit ? 0 : 4)
    }
    print("\(count) lines: \(String(decoding: result?.standardOutputContent ?? [], as: UTF8.self))", terminator: "")
  }

  /// The path of a whole archive of so many lines.
  private func archive(_ count: Int, isShuffled: Bool) throws -> String {
    var archive = SampleArchive()
    archive.addProcess(rings: [(count / 2, []), (count / 2, [])])
    var generator = SeededGenerator(seed: 3)
    let lines = isShuffled ? archive.lines.shuffled(using: &generator) : archive.lines
    return try directory.write(lines, name: "archive-\(count)")
  }

  fileprivate static func peakKilobytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
  }
}

/// One run of the command's inside.
private struct Run {
  private(set) var code: Int32 = -1
  private(set) var lines: [String] = []
  private(set) var complaints: [String] = []

  init(_ paths: [String], live: Bool = false, json: Bool = false, verbose: Bool = false) {
    var (lines, complaints): ([String], [String]) = ([], [])
    code = Verification.run(
      paths: paths, live: live, json: json, verbose: verbose, print: { lines.append($0) },
      complain: { complaints.append($0) })
    (self.lines, self.complaints) = (lines, complaints)
  }
}
