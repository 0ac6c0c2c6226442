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

  private func records() throws -> [JSONRecord] { try JSONRecord.read(directory.file("log")) }

  private func changes() throws -> [JSONRecord] { try records().filter { $0.logger == "treering.control" } }

  @Test func onForTwoSecondsAndBackByItself() throws {
    let child = try program()
    let before = try debug("list")
    #expect(before.code == 0 && before.output.contains("control:tick"), "\(before.output)\(before.errors)")
    let enabled = try debug("enable", "control:*", "--for", "2s", "--pid", "\(child.pid)")
    #expect(enabled.code == 0, "\(enabled.errors)")
    #expect(try debug("list", "--json").output.contains(#""control:*""#))
    #expect(try waitUntil(seconds: 10) { try records().contains { $0.ns == "control:tick" } })
    #expect(try waitUntil(seconds: 10) { try changes().count == 2 }, "it falls back by itself")
    let told = try changes()
    #expect(
      told[0]["debug"] as? String == "control:*" && told[0].integer("for") == 2
        && told[0].integer("by.uid") == Int(getuid()))
    #expect(told[1].msg == "debug channels fell back" && told[1]["debug"] as? String == "")
    // The process's own clock says how long it was on, however slow the machine is: not less than was asked for.
    let ticks = try records().filter { $0.ns == "control:tick" }
    let first = try #require(told[0].time), last = try #require(told[1].time)
    #expect(try #require(seconds(last)) - #require(seconds(first)) >= 2)
    #expect(ticks.allSatisfy { ($0.time ?? "") > first })
    let count = ticks.count
    usleep(200_000)
    #expect(try records().filter { $0.ns == "control:tick" }.count <= count + 1, "off again")
    child.kill(SIGTERM)
  }

  private func seconds(_ time: String) -> Double? {
    let parts = time.dropLast().split(separator: "T")[1].split(separator: ":").compactMap { Double($0) }
    return parts.count == 3 ? parts[0] * 3600 + parts[1] * 60 + parts[2] : nil
  }

  @Test func addAndDisable() throws {
    let child = try program()
    #expect(try debug("enable", "other:*").code == 0)
    #expect(try debug("add", "control:tick").code == 0)
    #expect(try waitUntil(seconds: 10) { try records().contains { $0.ns == "control:tick" } })
    #expect(try debug("disable").code == 0)
    let debugs = try changes().map { $0["debug"] as? String }
    #expect(debugs == ["other:*", "other:*,control:tick", ""])
    child.kill(SIGTERM)
  }

  @Test func levelsAreShownAndSet() throws {
    let child = try program()
    #expect(try debug("levels").output.contains("info"))
    #expect(try debug("levels", "info,control.log=debug", "--for", "1m").code == 0)
    #expect(try waitUntil(seconds: 10) { try records().contains { $0.logger == "control.log" && $0.level == "debug" } })
    let shown = try debug("levels")
    #expect(shown.output.contains("control.log") && shown.output.contains("debug"), "\(shown.output)")
    #expect(try debug("levels", "loud").code == 1)
    child.kill(SIGTERM)
  }

  @Test func anotherUserIsRefused() throws {
    let treering = BuiltProducts.release("treering")
    let setpriv = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    guard getuid() == 0, unsafe access(setpriv[0], X_OK) == 0 else {
      return print("not run: DebugCommandTests.anotherUserIsRefused needs root and setpriv")
    }
    guard try run(setpriv + [treering, "--version"]).code == 0 else {
      return print("not run: DebugCommandTests.anotherUserIsRefused: another user cannot execute \(treering)")
    }
    let child = try program()
    unsafe chmod(directory.path, 0o755)
    let refused = try run(setpriv + [treering, "debug", "enable", "*", "--dir", rings])
    #expect(refused.code == 1 && refused.errors.contains("user 0"), "\(refused.output)\(refused.errors)")
    // Even where the directory is opened up, which the library never does: it has to be the asker's own.
    unsafe chmod(rings, 0o777)
    #expect(try run(setpriv + [treering, "debug", "enable", "*", "--dir", rings]).code == 1)
    unsafe chmod(rings, 0o700)
    #expect(try changes().isEmpty && records().allSatisfy { $0.ns == nil }, "nothing was switched on")
    child.kill(SIGTERM)
  }

  private func run(_ command: [String]) throws -> TreeRing.Result {
    let errors = directory.file("errors-\(UUID().uuidString)")
    let process = try ChildProcess(command[0], Array(command.dropFirst()), errors: errors)
    let output = process.readAll()
    guard case .exit(let code) = process.wait() else { return .init(code: -1, output: output, errors: process.errors) }
    return .init(code: code, output: output, errors: process.errors)
  }

  @Test func nobodyThereIsToldSo() throws {
    let result = try debug("list")
    #expect(result.code == 1 && result.errors.contains("no process"), "\(result.errors)")
  }
}
