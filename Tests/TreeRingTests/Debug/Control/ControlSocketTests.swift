import CTreeRing
import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// A running program, asked and switched from outside, by the same client that `treering debug` has.
@Suite struct ControlSocketTests {
  private let run: StormRun
  private var rings: String { run.directory.file("rings") }

  init() throws { run = try StormRun() }

  private func target() throws -> ControlClient.Target {
    let targets = try ControlClient.targets(in: rings)
    #expect(targets.count == 1)
    return try #require(targets.first)
  }

  private func ask(_ command: ControlCommand) throws -> [ControlLine] {
    try #require(try ControlClient.ask(target(), command))
  }

  /// It ends with its test; a machine that stalls does not outlast it.
  private func started(_ milliseconds: Int = 600_000) throws -> ChildProcess {
    let child = try run.start("control", "\(milliseconds)")
    #expect(child.readLine() == "ready", "\(child.errors)")
    return child
  }

  private func ticks() throws -> [JSONRecord] {
    let text = (try? String(contentsOfFile: run.log, encoding: .utf8)) ?? ""
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .compactMap { try? JSONRecord(line: $0) }
  }

  private func waitUntil(_ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<12_000 {
      if try condition() { return true }
      usleep(5000)
    }
    return false
  }

  @Test func onlyItsOwnerReachesIt() throws {
    let child = try started()
    let status = try Syscalls.status(ofPath: try target().socket)
    #expect(status.st_mode & S_IFMT == S_IFSOCK && status.st_mode & 0o777 == 0o600)
    #expect(try Syscalls.status(ofPath: rings).st_mode & 0o777 == 0o700)
    #expect(try target().pid == child.pid)
    #expect(try target().program == "LogStorm")
  }

  @Test func listsAndSwitches() throws {
    let child = try started()
    let listed = try ask(.list)
    #expect(listed.first?.columns.prefix(3) == ["\(child.pid)", "LogStorm", ""])
    let tick = try #require(listed.first { $0.kind == "channel" && $0[0] == "control:tick" })
    #expect(tick[1] == "off" && tick[4] == "one line every 2 ms")
    #expect(listed.contains { $0[0] == "storm:debug" }, "a channel that this mode never calls")

    #expect(try ask(.enable("control:*", forSeconds: nil)).first?[2] == "control:*")
    #expect(try waitUntil { try ticks().contains { $0["ns"] as? String == "control:tick" } })
    #expect(try ask(.list).first { $0[0] == "control:tick" }?[2] == "control:*")
    #expect(try ask(.add("storm:*,-control:tick", forSeconds: nil)).first?[2] == "control:*,storm:*,-control:tick")
    #expect(try ask(.list).first { $0[0] == "control:tick" }?[1] == "off")
    #expect(try ask(.disable(forSeconds: nil)).first?[2] == "")
    // The answer comes before the record has reached the file.
    func changes() throws -> [JSONRecord] { try ticks().filter { $0.logger == "treering.control" } }
    #expect(try waitUntil { try changes().count >= 3 })
    let records = try changes()
    #expect(records.map { $0["verb"] as? String } == ["enable", "add", "disable"])
    #expect(records.first?.integer("by.uid") == Int(getuid()) && records.first?.integer("by.pid") == Int(getpid()))
    #expect(records.last?["debug.before"] as? String == "control:*,storm:*,-control:tick")
  }

  @Test func aMistypedChannelIsTold() throws {
    let child = try started()
    let answer = try ask(.enable("contol:tick", forSeconds: nil))
    #expect(answer.contains { $0.kind == "note" && $0[0].contains("did you mean control:tick?") }, "\(answer)")
    child.kill(SIGTERM)
  }

  @Test func fallsBackByItself() throws {
    let child = try started()
    func isTick(_ record: JSONRecord) -> Bool { record.msg?.hasPrefix("tick ") == true }
    // A process that sleeps through its second says nothing in it, and gets another.
    for _ in 0..<10 where try !ticks().contains(where: isTick) {
      let falls = try ticks().filter { $0.msg == "debug channels fell back" }.count
      #expect(try ask(.enable("control:*", forSeconds: 1)).first?[3] == "1")
      #expect(try waitUntil { try ticks().filter { $0.msg == "debug channels fell back" }.count > falls })
    }
    #expect(try ask(.list).first { $0[0] == "control:tick" }?[1] == "off")
    #expect(try ticks().contains(where: isTick))
    usleep(50_000)
    let end = try #require(try ticks().last { $0.msg == "debug channels fell back" }?.time)
    #expect(try ticks().filter { isTick($0) && $0.time ?? "" > end }.count <= 1, "but for a call that was under way")
    child.kill(SIGTERM)
  }

  @Test func setsAndShowsLevels() throws {
    let child = try started()
    #expect(try ask(.levels).last?.columns == ["", "info"])
    let answer = try ask(.setLevels("warning,control.log=debug", forSeconds: nil))
    #expect(answer.dropFirst().map(\.columns) == [["", "warning"], ["control.log", "debug"]], "what holds now")
    #expect(try waitUntil { try ticks().contains { $0.msg?.hasPrefix("tock ") == true } })
    let levels = try ask(.levels).filter { $0.kind == "level" }.map(\.columns)
    #expect(levels == [["", "warning"], ["control.log", "debug"]])
    _ = try ask(.enable("control.*=error", forSeconds: nil))
    #expect(try ask(.levels).last?.columns == ["control.*", "error"])
    for nonsense in ["loud", "", ","] {
      #expect(throws: LogError.self) { _ = try ask(.setLevels(nonsense, forSeconds: nil)) }
    }
    child.kill(SIGTERM)
  }

  @Test func stopRemovesIt() throws {
    let child = try started(20)
    #expect(child.wait() == .exit(0), "\(child.errors)")
    #expect(run.directory.names(in: "rings") == [])
  }

  @Test func whatAKilledProcessLeftIsNotAskedAndGoesWithItsRing() throws {
    let child = try started()
    let target = try target()
    child.kill(SIGKILL)
    child.wait()
    #expect(try ControlClient.ask(target, .list) == nil)
    try run.recover()
    #expect(run.directory.names(in: "rings") == [])
  }

  /// A peer that says nothing, or nonsense, or too much, holds nobody up for long.
  @Test func aRudePeerIsSentAway() throws {
    let child = try started()
    let mute = try ControlSocket.connect(to: target().socket)
    let rude = try ControlSocket.connect(to: target().socket)
    let long = String(repeating: "x", count: 200_000) + "\n"
    ControlSocket.write(rude, long, until: ControlSocket.deadline(seconds: 1))
    #expect(try ask(.list).first?[1] == "LogStorm")
    close(mute)
    close(rude)
    child.kill(SIGTERM)
  }

  /// What a peer sent that was killed, or ran out of disk, on its way is not what it meant.
  @Test(arguments: ["enable 0 control:*", "disable 0", "enable 0 control:*,-control:t"])
  func aCommandWithoutItsEndIsRefused(cut: String) throws {
    let child = try started()
    _ = try ask(.enable("storm:*", forSeconds: nil))
    let peer = try ControlSocket.connect(to: target().socket)
    defer { close(peer) }
    ControlSocket.write(peer, cut, until: ControlSocket.deadline(seconds: 10))
    shutdown(peer, Int32(SHUT_WR))
    let answer = ControlSocket.readAll(peer, limit: 4096, until: ControlSocket.deadline(seconds: 60))
    #expect(String(decoding: answer, as: UTF8.self).hasPrefix("error\tthe command did not end"))
    #expect(try ask(.list).first?[2] == "storm:*")
    child.kill(SIGTERM)
  }

  /// Byte by byte, for ever: the peer has two seconds for all of them, and somebody else is answered.
  @Test func aPeerThatDripsHasOneDeadline() throws {
    let child = try started()
    let peer = try ControlSocket.connect(to: target().socket)
    defer { close(peer) }
    var isClosed = false
    // Until it is sent away, a minute at most; a slow machine only drips more slowly.
    for _ in 0..<1200 where !isClosed {
      isClosed = unsafe send(peer, "x", 1, Int32(MSG_NOSIGNAL)) < 0
      usleep(50_000)
    }
    #expect(isClosed)
    #expect(try ask(.list).first?[1] == "LogStorm")
    child.kill(SIGTERM)
  }

  @Test func aLineFeedInAValueArrives() throws {
    let child = try started()
    #expect(try ask(.enable("storm:*\n-storm:debug", forSeconds: nil)).first?[2] == "storm:*,-storm:debug")
    child.kill(SIGTERM)
  }

  /// A box for channels and one for levels end by themselves, whatever is changed for good meanwhile.
  @Test func levelsAndChannelsFallBackApart() throws {
    let child = try started()
    _ = try ask(.enable("control:*", forSeconds: 300))
    let title = try #require(try ask(.setLevels("debug", forSeconds: 1)).first)
    #expect(title[2] == "control:*" && title[4] == "" && title[6] == "info", "\(title)")
    #expect(try waitUntil { try ask(.levels).last?.columns == ["", "info"] })
    #expect(try ask(.list).first?[2] == "control:*", "the other box goes on")
    _ = try ask(.setLevels("warning", forSeconds: nil))
    #expect(try Int(ask(.enable("storm:*", forSeconds: 1)).first?[3] ?? "") ?? 9 <= 1)
    #expect(try waitUntil { try ask(.list).first?[2] == "" })
    #expect(try ask(.levels).last?.columns == ["", "warning"])
    child.kill(SIGTERM)
  }

  @Test func worksUnderACollectorToo() throws {
    var external = run
    external.environment["TREERING_WRITER"] = "external"
    let child = try external.start("control", "600000")
    #expect(child.readLine() == "ready", "\(child.errors)")
    #expect(try ask(.enable("control:*", forSeconds: nil)).first?[2] == "control:*")
    child.kill(SIGKILL)
  }

  @Test func aForkedChildHasItsOwn() throws {
    let child = try run.start("control-fork")
    let pids = [child.readLine(), child.readLine()].compactMap { $0.flatMap { Int32($0) } }
    #expect(pids.count == 2 && pids.contains(child.pid), "\(child.errors)")
    let targets = try ControlClient.targets(in: rings)
    #expect(Set(targets.map(\.pid)) == Set(pids))
    for target in targets {
      #expect(try ControlClient.ask(target, .list)?.first?[0] == "\(target.pid)")
    }
    child.kill(SIGTERM)
    child.wait()
  }

  /// Another user may reach the socket (its directory is opened up here, which the library never does), and is refused.
  @Test func anotherUserIsRefused() throws {
    guard getuid() == 0, unsafe access("/usr/bin/setpriv", X_OK) == 0, unsafe access("/usr/bin/python3", X_OK) == 0
    else {
      return print("not run: anotherUserIsRefused needs root, setpriv and python3")
    }
    let child = try started()
    let socket = try target().socket
    unsafe chmod(run.directory.path, 0o755)
    unsafe chmod(rings, 0o755)
    unsafe chmod(socket, 0o666)
    let script = """
      import socket, sys
      s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
      try: s.sendall(b'enable 0 *\\n')
      except OSError: pass
      print(s.recv(4096).decode(), end='')
      """
    let other = try ChildProcess(
      "/usr/bin/setpriv",
      ["--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c", script, socket])
    let answer = other.readAll()
    #expect(answer.hasPrefix("error\trefused: this process belongs to user 0"), "\(answer)")
    unsafe chmod(rings, 0o700)
    #expect(try ask(.list).first?[2] == "", "nothing was switched on")
    child.kill(SIGTERM)
  }
}
