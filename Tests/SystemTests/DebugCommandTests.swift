import Foundation
import Glibc
import TestSupport
import Testing

/// `treering debug` against a process that runs, as from another terminal.
@Suite(.serialized)
struct DebugCommandTests {
  private let directory: TemporaryDirectory
  private var rings: String { directory.file("rings") }

  init() throws { directory = try TemporaryDirectory() }

  /// A program that calls its channel and its logger every 2 ms.
  private func program() throws -> ChildProcess {
    let child = try ChildProcess(
      BuiltProducts.release("LogStorm"), ["control", "60000"],
      environment: ["TREERING_DIR": rings, "TREERING_SINK": "file:\(directory.file("log"))"],
      errors: directory.file("errors"))
    #expect(child.readLine() == "ready", "\(child.errors)")
    return child
  }

  private func debug(_ arguments: String...) throws -> TreeRing.Result {
    try TreeRing.run(
      program: "treering", ["debug"] + arguments, in: directory.path, environment: ["TREERING_DIR": rings])
  }

  private func records() throws -> [JSONRecord] { try JSONRecord.read(directory.file("log"), isGrowing: true) }

  private func changes() throws -> [JSONRecord] { try records().filter { $0.logger == "treering.control" } }

  @Test func onForTwoSecondsAndBackByItself() throws {
    let child = try program()
    let before = try debug("list")
    #expect(before.code == 0 && before.output.contains("control:tick"), "\(before.output)\(before.errors)")
    var told: [JSONRecord] = []
    var ticks: [JSONRecord] = []
    var begin = 0.0
    // On a machine that stands still for all of the two seconds there is nothing to be seen of them: then they are asked for again.
    repeat {
      let count = told.count
      #expect(try records().allSatisfy { $0.ns == nil }, "off")
      begin = StillClock.now()
      let enabled = try debug("enable", "control:*", "--for", "2s", "--pid", "\(child.pid)")
      #expect(enabled.code == 0, "\(enabled.errors)")
      try #require(waitUntil { try changes().count == count + 2 }, "it falls back by itself")
      told = try changes()
      ticks = try records().filter { $0.ns == "control:tick" }
    } while ticks.isEmpty && told.count < 20
    #expect(!ticks.isEmpty)
    #expect(
      told[0]["debug"] as? String == "control:*" && told[0].integer("for") == 2
        && told[0].integer("by.uid") == Int(getuid()))
    #expect(told[1].msg == "debug channels fell back" && told[1]["debug"] as? String == "")
    // Not less than was asked for, however slow the machine is.
    let last = try #require(told.last?.time.flatMap(seconds))
    let day = 86_400.0
    #expect((last - begin + ceil(begin / day) * day).truncatingRemainder(dividingBy: day) >= 2)
    // Off again: the logger is called between the ticks, and its level is asked for to see that the program runs on.
    #expect(try debug("levels", "info,control.log=debug").code == 0)
    #expect(try waitUntil { try records().count { $0.logger == "control.log" && $0.level == "debug" } >= 100 })
    let behind = try records().drop { $0.logger != "control.log" || $0.level != "debug" }
    #expect(behind.allSatisfy { $0.ns == nil }, "off again")
    child.kill(SIGTERM)
  }

  /// Of the day.
  private func seconds(_ time: String) -> Double? {
    let parts = time.dropLast().split(separator: "T")[1].split(separator: ":").compactMap { Double($0) }
    return parts.count == 3 ? parts[0] * 3600 + parts[1] * 60 + parts[2] : nil
  }

  /// What a program is delivered as: optimised, and without its symbols. The list is of its channels, called or not, with their places.
  @Test func aStrippedProgramListsItsChannels() throws {
    guard unsafe access("/usr/bin/strip", X_OK) == 0 else { return print("not run: there is no strip") }
    let program = directory.file("stripped")
    let strip = try ChildProcess("/usr/bin/strip", ["-o", program, BuiltProducts.release("LogStorm")])
    #expect(strip.wait() == .exit(0))
    let atRest = try debug("list", program)
    #expect(atRest.code == 0, "\(atRest.errors)")
    for channel in ["control:tick", "control:stored", "storm:crash", "storm:debug"] {
      let line = atRest.output.split(separator: "\n").first { $0.hasPrefix("  \(channel) ") }
      #expect(line?.contains("LogStorm/") == true, "\(channel): \(atRest.output)")
    }
    #expect(!atRest.output.contains("control:kept"), "no file tells of it")
    let child = try ChildProcess(
      program, ["control", "60000"],
      environment: ["TREERING_DIR": rings, "TREERING_SINK": "null:", "DEBUG": "?"], errors: directory.file("errors"))
    #expect(child.readLine() == "ready", "\(child.errors)")
    #expect(child.errors.contains("  storm:crash ") && child.errors.contains("LogStorm/Crash.swift:"))
    #expect(try debug("list").output.contains("  control:kept "), "it has been called")
    child.kill(SIGTERM)
  }

  @Test func addAndDisable() throws {
    let child = try program()
    #expect(try debug("enable", "other:*").code == 0)
    #expect(try debug("list", "--json").output.contains(#""other:*""#))
    #expect(try debug("add", "control:tick").code == 0)
    #expect(try waitUntil { try records().contains { $0.ns == "control:tick" } })
    #expect(try debug("disable").code == 0)
    #expect(try waitUntil { try changes().count == 3 })
    #expect(try changes().map { $0["debug"] as? String } == ["other:*", "other:*,control:tick", ""])
    child.kill(SIGTERM)
  }

  @Test func levelsAreShownAndSet() throws {
    let child = try program()
    #expect(try debug("levels").output.contains("info"))
    #expect(try debug("levels", "info,control.log=debug", "--for", "10m").code == 0)
    #expect(try waitUntil { try records().contains { $0.logger == "control.log" && $0.level == "debug" } })
    let shown = try debug("levels")
    #expect(shown.output.contains("control.log") && shown.output.contains("debug"), "\(shown.output)")
    #expect(try debug("levels", "loud").code == 1)
    child.kill(SIGTERM)
  }

  @Test func anotherUserIsRefused() throws {
    guard try AnotherUser.isThere(for: "DebugCommandTests.anotherUserIsRefused", in: directory) else { return }
    let child = try program()
    unsafe chmod(directory.path, 0o755)
    let command = ["debug", "enable", "*", "--dir", rings]
    let refused = try AnotherUser.run("treering", command, in: directory)
    #expect(refused.code == 1 && refused.errors.contains("user 0"), "\(refused.output)\(refused.errors)")
    // Even where the directory is opened up, which the library never does: it has to be the asker's own.
    unsafe chmod(rings, 0o777)
    #expect(try AnotherUser.run("treering", command, in: directory).code == 1)
    unsafe chmod(rings, 0o700)
    #expect(try changes().isEmpty && records().allSatisfy { $0.ns == nil }, "nothing was switched on")
    child.kill(SIGTERM)
  }

  @Test func nobodyThereIsToldSo() throws {
    let result = try debug("list")
    #expect(result.code == 1 && result.errors.contains("no process can be asked"), "\(result.errors)")
    let named = try debug("list", "--pid", "99999999")
    #expect(named.code == 1 && named.errors.contains("process 99999999 cannot be asked"), "\(named.errors)")
  }
}
