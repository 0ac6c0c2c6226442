import Foundation
import Glibc
import TestSupport
import Testing

/// `treering tail` and `treering rings` as an operator uses them.
@Suite(.serialized)
struct TailTests {
  private func tail(
    _ arguments: [String], in directory: TemporaryDirectory, environment: [String: String] = [:]
  ) throws -> ChildProcess {
    var variables = environment
    variables["TREERING_DIR"] = directory.file("rings")
    let process = try ChildProcess(
      BuiltProducts.release("treering"), ["tail"] + arguments, environment: variables, errors: directory.file("errors"))
    limit(process)
    return process
  }

  /// What a test waits for in vain does not keep it waiting for ever.
  private func limit(_ process: ChildProcess) {
    Thread.detachNewThread { [weak process] in
      for _ in 0..<600 where process != nil { usleep(100_000) }
      process?.kill(SIGKILL)
    }
  }

  private func storm(_ arguments: [String], in directory: TemporaryDirectory, writer: String = "thread") throws
    -> ChildProcess
  {
    try ChildProcess(
      BuiltProducts.release("LogStorm"), arguments,
      environment: [
        "TREERING_DIR": directory.file("rings"), "TREERING_WRITER": writer, "TREERING_SINK": "null:",
        "TREERING_WHEN_FULL": "block",
      ])
  }

  /// Reads lines until one has `text`; nil when the program ends before.
  private func line(with text: String, of process: ChildProcess) -> String? {
    while let line = process.readLine() {
      if line.contains(text) { return line }
    }
    return nil
  }

  /// Processes that log to nowhere: one is killed, the next ends in order.
  @Test func processesAreFollowedToTheirEndAndThroughRestarts() throws {
    let directory = try TemporaryDirectory()
    let tail = try tail(["--label", "storm"], in: directory)
    let storm = try storm(["1"], in: directory)
    // Of one that was there before, the beginning is not told.
    #expect(line(with: "of thread 0", of: tail)?.contains("INFO     \(storm.pid)") == true)
    storm.kill(SIGKILL)
    storm.wait()
    #expect(line(with: "LogStorm \(storm.pid) is gone without closing its log", of: tail) != nil)
    // The same program again: it goes on. This one ends when its records have been seen.
    let second = try self.storm(["steps", directory.file("go"), "100"], in: directory)
    #expect(line(with: "LogStorm \(second.pid) began to log", of: tail) != nil)
    #expect(line(with: "number 99 of step 0", of: tail) != nil)
    try Data().write(to: URL(fileURLWithPath: directory.file("go.end")))
    #expect(line(with: "LogStorm \(second.pid) ended, and closed its log", of: tail) != nil)
    tail.kill(SIGINT)
    #expect(tail.wait() == .exit(0))
  }

  /// Whatever it could not show it tells, by number: shown and missed are all there were.
  @Test func whatItDoesNotShowItCounts() throws {
    let directory = try TemporaryDirectory()
    let tail = try tail(["--json", "--label", "storm"], in: directory)
    // Once it has shown something it misses no beginning.
    let first = try storm(["1"], in: directory)
    #expect(line(with: "of thread 0", of: tail) != nil)
    first.kill(SIGKILL)
    first.wait()
    let records = 300_000
    let storm = try storm(["steps", directory.file("go"), "\(records)"], in: directory)
    var (shown, missed, dropped) = (0, 0, 0)
    var last = -1
    while let line = tail.readLine() {
      let record = try JSONRecord(line: line)
      guard record.integer("pid") == Int(storm.pid) else { continue }
      if record["treering.notice"] as? String == "missed" { missed += record.integer("treering.records") ?? 0 }
      // Where the writer stands still for longer than a call waits for room.
      if record["treering.notice"] as? String == "dropped" { dropped += record.integer("treering.records") ?? 0 }
      if record["treering.notice"] as? String == "closed" { break }
      guard record.logger == "storm" else { continue }
      shown += 1
      if let number = record.integer("number") {
        if number <= last { Issue.record("\(number) after \(last)") }
        last = number
        // It waits for this at its end, for as long as it takes until its last record is shown.
        if number == records - 1 { try Data().write(to: URL(fileURLWithPath: directory.file("go.end"))) }
      }
    }
    #expect(storm.wait() == .exit(0))
    tail.kill(SIGTERM)
    #expect(tail.wait() == .exit(0))
    #expect(shown + missed + dropped == records, "\(shown) shown, \(missed) missed, \(dropped) dropped")
    #expect(shown > 0 && last == records - 1)
  }

  @Test func aDeadProcessesLastRecordsAreShown() throws {
    let directory = try TemporaryDirectory()
    let storm = try storm(["1", "50"], in: directory, writer: "external")
    storm.wait()
    let tail = try tail(["--no-follow", "-n", "3", "--time", "none"], in: directory)
    let lines = tail.readAll().split(separator: "\n").map(String.init)
    #expect(tail.wait() == .exit(0))
    #expect(lines.count == 3 && lines[0].hasPrefix("INFO") && lines[0].contains("record 48 of thread 0"), "\(lines)")
    #expect(lines[2].contains("\(storm.pid)"), "\(lines)")
  }

  @Test func filesAreMergedAndFiltered() throws {
    let directory = try TemporaryDirectory()
    for (name, offset) in [("a.log", 0), ("b.log", 1)] {
      let lines = (0..<50).map { number in
        let index = number * 2 + offset
        let level = index % 10 == 0 ? "error" : "info"
        return
          #"{"time":"2026-01-02T03:04:05.0000000\#(String(format: "%02d", index))Z","level":"\#(level)","logger":"l","msg":"m\#(index)","n":\#(index)}"#
      }
      try (lines.joined(separator: "\n") + "\nnot ours \u{1B}[31m\n").write(
        toFile: directory.file(name), atomically: false, encoding: .utf8)
    }
    let files = [directory.file("a.log"), directory.file("b.log")]
    let all = try tail(["--no-follow", "--time", "none"] + files, in: directory)
    let lines = all.readAll().split(separator: "\n").map(String.init)
    #expect(all.wait() == .exit(0) && lines.count == 102)
    let numbers = lines.compactMap { $0.split(separator: " m").last.flatMap { Int($0.prefix { $0.isNumber }) } }
    #expect(numbers == Array(0..<100))
    #expect(lines.suffix(3).contains("not ours \\u001b[31m"), "\(lines.suffix(3))")
    let few = try tail(["--no-follow", "--json", "--level", "error", "--field", "n>=50"] + files, in: directory)
    #expect(
      try few.readAll().split(separator: "\n").map { try JSONRecord(line: $0).integer("n") ?? -1 } == [
        50, 60, 70, 80, 90,
      ])
    let last = try tail(["--no-follow", "-n", "2", "--grep", "m1[0-9]$|m1[0-9] ", "--json"] + files, in: directory)
    #expect(try last.readAll().split(separator: "\n").map { try JSONRecord(line: $0).integer("n") ?? -1 } == [18, 19])
  }

  @Test func aFileIsFollowedThroughItsRotation() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("app.log")
    func write(_ text: String) throws {
      let line = #"{"time":"2026-01-02T03:04:05Z","level":"info","logger":"l","msg":"\#(text)"}"# + "\n"
      let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
      defer { close(descriptor) }
      unsafe #expect(Array(line.utf8).withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) } > 0)
    }
    try write("one")
    let tail = try tail([path], in: directory)
    #expect(line(with: "one", of: tail) != nil)
    try write("two")
    #expect(unsafe rename(path, path + ".1") == 0)
    try write("three")
    #expect(line(with: "two", of: tail) != nil)
    #expect(line(with: "was rotated", of: tail) != nil)
    #expect(line(with: "three", of: tail) != nil)
    tail.kill(SIGINT)
    #expect(tail.wait() == .exit(0))
  }

  @Test func standardInputAndAReaderThatGoesAway() throws {
    let directory = try TemporaryDirectory()
    let shell = try ChildProcess(
      "/bin/sh",
      ["-c", "printf 'plain\\nlast without end' | \(BuiltProducts.release("treering")) tail - ; echo code $?"])
    #expect(shell.readAll() == "plain\nlast without end\ncode 0\n")
    // `head` goes after one line; the storm goes on, and tail ends all the same.
    let storm = try storm(["1"], in: directory)
    defer { storm.kill(SIGKILL) }
    let pipe = try ChildProcess(
      "/bin/bash",
      [
        "-c",
        "\(BuiltProducts.release("treering")) tail \(directory.file("rings")) | head -n 1 | wc -l; echo ${PIPESTATUS[0]}",
      ],
      errors: directory.file("pipe-errors"))
    limit(pipe)
    #expect(pipe.readAll() == "1\n0\n")
    #expect(pipe.errors.isEmpty, "\(pipe.errors)")
  }

  @Test func wrongUsageAndMissingThings() throws {
    let directory = try TemporaryDirectory()
    let cases: [([String], Int32, String)] = [
      (["--level", "loud"], 64, "trace, debug"), (["--field", "=1"], 64, "KEY=VALUE"),
      (["--grep", "("], 64, "regular expression"),
      (["-n", "many"], 64, "many"), (["-n=-1"], 64, "-n"), (["--color", "pink"], 64, "never"),
      ([directory.file("none")], 1, "there is no file"),
      (["--no-follow", directory.file("none.ring")], 1, "none.ring"), (["--no-follow"], 0, ""),
    ]
    for (arguments, code, says) in cases {
      let process = try ChildProcess(
        BuiltProducts.release("treering"), ["tail"] + arguments,
        environment: ["TREERING_DIR": directory.file("no-rings")],
        errors: directory.file("errors-\(arguments.joined().hashValue)"))
      _ = process.readAll()
      #expect(process.wait() == .exit(code), "\(arguments): \(process.errors)")
      #expect(says.isEmpty || process.errors.contains(says), "\(arguments): \(process.errors)")
    }
  }

  @Test func ringsListsWhatItCanAndTellsOfTheRest() throws {
    let directory = try TemporaryDirectory()
    let storm = try storm(["2", "200"], in: directory, writer: "external")
    storm.wait()
    try "no ring".write(toFile: directory.file("rings/bad.ring"), atomically: false, encoding: .utf8)
    let table = try TreeRing.run("rings", directory.file("rings"), in: directory.path)
    #expect(table.code == 1 && table.errors.contains("bad.ring"), "\(table.errors)")
    let lines = table.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 3 && lines[0].hasPrefix("PROGRAM") && lines[1].hasPrefix("LogStorm"), "\(table.output)")
    #expect(lines[1].contains("dead") && lines[1].contains("401") && lines[2].contains("treering recover"))
    let objects = try TreeRing.run("rings", "--json", directory.file("rings"), in: directory.path).output
      .split(separator: "\n").map { try JSONRecord(line: $0) }
    #expect(objects.count == 2 && objects[0].integer("unread") == 401 && objects[1]["refused"] is String)
    try "no ring".write(toFile: directory.file("rings/\u{1B}[31m.ring"), atomically: false, encoding: .utf8)
    let painted = try TreeRing.run("rings", directory.file("rings"), in: directory.path)
    #expect(painted.errors.contains("?[31m.ring") && !painted.errors.contains("\u{1B}"), "\(painted.errors)")
    let none = try TreeRing.run("rings", directory.file("none"), in: directory.path)
    #expect(none.code == 0 && none.errors.contains("does not exist"))
  }

  @Test func ringsWatchesUntilItIsInterrupted() throws {
    let directory = try TemporaryDirectory()
    let storm = try storm(["2"], in: directory)
    defer { storm.kill(SIGKILL) }
    let watch = try ChildProcess(
      BuiltProducts.release("treering"), ["rings", "--watch", "--every", "0.1", directory.file("rings")],
      errors: directory.file("errors"))
    limit(watch)
    for _ in 0..<3 { #expect(line(with: "PER SECOND", of: watch) != nil) }
    watch.kill(SIGINT)
    #expect(watch.wait() == .exit(0), "\(watch.errors)")
  }

  @Test func shellsCanCompleteTheCommands() throws {
    let directory = try TemporaryDirectory()
    for shell in ["bash", "zsh", "fish"] {
      let script = try TreeRing.run("--generate-completion-script", shell, in: directory.path)
      #expect(script.code == 0 && script.output.contains("tail") && script.output.contains("no-follow"), "\(shell)")
    }
    for command in ["tail", "rings"] {
      let help = try TreeRing.run(command, "--help", in: directory.path)
      #expect(help.code == 0 && help.output.contains("--json"))
    }
  }
}
