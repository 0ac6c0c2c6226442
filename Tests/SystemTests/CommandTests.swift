import Foundation
import Glibc
import TestSupport
import Testing

/// The commands as an operator uses them, with good and bad input.
@Suite(.serialized)
struct CommandTests {
  @Test func wrongUsageIsOneClearAnswerAndItsExitCode() throws {
    let directory = try TemporaryDirectory()
    let here = directory.path
    try "not a directory".write(toFile: here + "/file", atomically: false, encoding: .utf8)
    try "data_dir: /tmp\ninputs: { a: { type: tapes } }\noutputs: {}\n".write(
      toFile: here + "/bad.yaml", atomically: false, encoding: .utf8)
    try "{ [".write(toFile: here + "/broken.yaml", atomically: false, encoding: .utf8)
    try """
    data_dir: /proc/none
    inputs: { a: { type: rings, dir: \(here)/rings } }
    outputs: { b: { type: file, path: x } }
    """.write(toFile: here + "/unwritable.yaml", atomically: false, encoding: .utf8)
    let cases: [(program: String, arguments: [String], code: Int32, says: String)] = [
      ("companies", ["--prot", "1"], 64, "--prot"),
      ("companies", ["--port", "99999", "--data", here + "/d"], 64, "99999"),
      ("companies", ["--workers", "0", "--data", here + "/d"], 64, "--workers"),
      ("companies", ["--port", "0", "--data", here + "/file/below"], 78, here + "/file"),
      ("companies", ["--port", "0", "--data", "/proc/none"], 78, "/proc/none"),
      ("companies", ["worker", "--port", "0", "--data", "/proc/none"], 78, "/proc/none"),
      ("treering", ["frobnicate"], 64, "frobnicate"),
      ("treering", ["ship"], 64, "--config"),
      ("treering", ["ship", "--config", here + "/none.yaml"], 78, "none.yaml"),
      ("treering", ["ship", "--config", here], 78, "cannot read the configuration"),
      ("treering", ["ship", "--config", here + "/bad.yaml"], 78, "bad.yaml:2: inputs.a.type: tapes"),
      ("treering", ["check", "--config", here + "/broken.yaml"], 78, "broken.yaml"),
      ("treering", ["ship", "--config", here + "/broken.yaml"], 78, "broken.yaml"),
      ("treering", ["ship", "--config", here], 78, here),
      ("treering", ["ship", "--config", here + "/unwritable.yaml"], 78, "/proc/none"),
      ("treering", ["check", "--config", here + "/bad.yaml"], 78, "bad.yaml:2: inputs.a.type: tapes"),
      ("treering", ["check", "--config", here + "/none.yaml"], 78, "none.yaml"),
      ("treering", ["check", "--config", here], 78, here),
      ("treering", ["verify", here + "/none.ndjson"], 1, "none.ndjson"),
      ("treering", ["verify", here], 1, here),
      ("treering", ["rings", here + "/none/below"], 0, here + "/none/below"),
      ("treering", ["recover", here + "/none"], 1, here + "/none"),
      ("treering", ["recover", here + "/file"], 1, "file"),
      ("treering", ["rings", here + "/file"], 1, "file"),
      ("treering", ["supervise", "--workers", "1"], 64, "program"),
      ("treering", ["supervise", "--listen", "nowhere", "--", "/bin/true"], 64, "nowhere"),
    ]
    for test in cases {
      let result = try TreeRing.run(program: test.program, test.arguments, in: here)
      if test.code != 64 { #expect(isOneLine(result.errors), "\(test.program) \(test.arguments): \(result.errors)") }
      let said = result.output + result.errors
      #expect(result.code == test.code, "\(test.program) \(test.arguments): \(said)")
      #expect(said.contains(test.says), "\(test.program) \(test.arguments): \(said)")
      #expect(!said.contains("Fatal error") && !said.contains("crashed"), "\(said)")
    }
  }

  private func isOneLine(_ text: String) -> Bool { text.hasSuffix("\n") && text.dropLast().allSatisfy { $0 != "\n" } }

  @Test func aBusyPortIsToldWithWhatToDo() throws {
    let directory = try TemporaryDirectory()
    let companies = try Companies(in: directory.path)
    let port = "\(companies.port)"
    for (program, arguments) in [
      ("companies", ["--port", port, "--data", directory.file("other")]),
      ("companies", ["worker", "--port", port, "--data", directory.file("other")]),
      ("treering", ["supervise", "--workers", "1", "--listen", "127.0.0.1:\(port)", "--", "/bin/true"]),
    ] {
      let second = try TreeRing.run(program: program, arguments, in: directory.path)
      #expect(second.code == 1, "\(arguments)")
      #expect(second.errors.contains(port) && second.errors.contains("choose another port"), "\(second.errors)")
      #expect(isOneLine(second.errors), "\(second.errors)")
    }
    #expect(companies.stop() == .exit(0))
  }

  @Test func anUnknownFlagIsNamedByEveryCommand() throws {
    let directory = try TemporaryDirectory()
    // Each with what it needs besides, which would be asked for first.
    let commands = [
      "companies --frobnicate", "companies worker --frobnicate", "treering --frobnicate",
      "treering ship --config x --frobnicate", "treering check --config x --frobnicate",
      "treering supervise --frobnicate -- /bin/true", "treering rings --frobnicate", "treering tail --frobnicate",
      "treering recover --frobnicate", "treering verify x --frobnicate", "treering debug --frobnicate",
      "treering debug list --frobnicate", "treering debug enable x --frobnicate", "treering debug add x --frobnicate",
      "treering debug disable --frobnicate", "treering debug levels --frobnicate",
    ].map { $0.split(separator: " ").map(String.init) }
    for command in commands {
      let result = try TreeRing.run(program: command[0], Array(command.dropFirst()), in: directory.path)
      #expect(result.code == 64, "\(command)")
      #expect(result.errors.contains("--frobnicate") && result.errors.contains("Usage: "), "\(result.errors)")
    }
  }

  /// What belongs to somebody else: a directory that may not be read or written, a file that may not be read.
  @Test func whatMayNotBeReadOrWrittenIsOneClearLine() throws {
    let directory = try TemporaryDirectory()
    guard try AnotherUser.isThere(for: "CommandTests.whatMayNotBeReadOrWrittenIsOneClearLine", in: directory) else {
      return
    }
    unsafe chmod(directory.path, 0o755)
    let (closed, open, file) = (directory.file("closed"), directory.file("open"), directory.file("file"))
    unsafe mkdir(closed, 0o700)
    unsafe mkdir(open, 0o700)
    unsafe chmod(open, 0o777)
    try "{}\n".write(toFile: file, atomically: false, encoding: .utf8)
    unsafe chmod(file, 0o600)
    let cases: [(program: String, arguments: [String], code: Int32, says: String)] = [
      ("companies", ["--port", "0", "--data", closed], 78, closed),
      ("companies", ["--port", "0", "--data", closed + "/below"], 78, closed + "/below"),
      ("companies", ["worker", "--port", "0", "--data", closed], 78, closed),
      ("treering", ["ship", "--config", file], 78, file),
      ("treering", ["check", "--config", file], 78, file),
      ("treering", ["rings", closed], 1, closed),
      ("treering", ["recover", closed], 1, closed),
      ("treering", ["recover", file], 1, file),
      ("treering", ["tail", "--no-follow", closed], 1, closed),
      ("treering", ["tail", "--no-follow", file], 1, file),
      ("treering", ["verify", file], 1, file),
    ]
    for test in cases {
      let result = try AnotherUser.run(
        test.program, test.arguments, in: directory, environment: ["TREERING_DIR": open + "/rings"])
      #expect(result.code == test.code, "\(test.program) \(test.arguments): \(result.errors)")
      #expect(result.errors.contains(test.says), "\(test.program) \(test.arguments): \(result.errors)")
      #expect(isOneLine(result.errors), "\(test.program) \(test.arguments): \(result.errors)")
    }
  }

  @Test func helpAndVersionAreThere() throws {
    let directory = try TemporaryDirectory()
    for command in [["--help"], ["ship", "--help"], ["verify", "--help"], ["recover", "--help"], ["--version"]] {
      let result = try TreeRing.run(program: "treering", command, in: directory.path)
      #expect(result.code == 0 && !result.output.isEmpty, "\(command)")
    }
  }

  /// What a killed program left is finished in its own file, once.
  @Test func recoverFinishesTheFileOfAKilledProcess() throws {
    let directory = try TemporaryDirectory()
    let file = directory.path + "/storm.log"
    let variables = ["TREERING_DIR": directory.path + "/rings", "TREERING_SINK": "file:\(file)"]
    let storm = try ChildProcess(BuiltProducts.release("LogStorm"), ["4"], environment: variables)
    // In the middle of its work: much has been written, and more is to come.
    #expect(waitUntil { ((try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int ?? 0) > 1 << 20 })
    storm.kill(SIGKILL)
    storm.wait()
    let seen = try TreeRing.run("rings", "--json", directory.path + "/rings", in: directory.path)
    #expect(seen.code == 0 && seen.output.contains(#""alive":false"#), "\(seen.output)")
    let recovered = try TreeRing.run("recover", directory.path + "/rings", in: directory.path)
    #expect(recovered.code == 0 && recovered.output.isEmpty, "\(recovered.output.prefix(200)) \(recovered.errors)")
    let verdict = try TreeRing.run("verify", file, in: directory.path)
    #expect(verdict.code == 0, "\(verdict.output)")
    let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
    let again = try TreeRing.run("recover", directory.path + "/rings", in: directory.path)
    #expect(again.code == 0 && again.output.isEmpty)
    #expect(try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int == size)
  }

  @Test func whatNoFileCanTakeGoesToStandardOutput() throws {
    let directory = try TemporaryDirectory()
    let variables = ["TREERING_DIR": directory.path + "/rings", "TREERING_WRITER": "external"]
    let storm = try ChildProcess(BuiltProducts.release("LogStorm"), ["2", "100"], environment: variables)
    storm.wait()
    let recovered = try TreeRing.run("recover", directory.path + "/rings", in: directory.path)
    #expect(recovered.code == 0)
    try recovered.output.write(toFile: directory.path + "/out.ndjson", atomically: false, encoding: .utf8)
    let verdict = try TreeRing.run("verify", directory.path + "/out.ndjson", in: directory.path)
    #expect(verdict.code == 0 && verdict.last.hasPrefix("emitted 202 delivered 202 "), "\(verdict.output)")
  }

  @Test func shipMovesRingsIntoTheArchiveAndStopsOnRequest() throws {
    let directory = try TemporaryDirectory()
    let here = directory.path
    try """
    data_dir: \(here)/data
    inputs:
      app: { type: rings, dir: \(here)/rings }
    outputs:
      archive: { type: file, path: "archive/%Y.ndjson" }
    """.write(toFile: here + "/ship.yaml", atomically: false, encoding: .utf8)
    let ship = try ChildProcess(
      BuiltProducts.release("treering"), ["ship", "--config", here + "/ship.yaml"], errors: here + "/ship.errors")
    let variables = ["TREERING_DIR": here + "/rings", "TREERING_WRITER": "external", "TREERING_WHEN_FULL": "block"]
    let storm = try ChildProcess(BuiltProducts.release("LogStorm"), ["2", "50000"], environment: variables)
    #expect(storm.wait() == .exit(0))
    #expect(waitUntil { (try? Files.names(here + "/rings"))?.isEmpty == true })
    ship.kill(SIGTERM)
    #expect(ship.wait() == .exit(0), "\(ship.errors)")
    let files = try Files.names(here + "/data/archive").map { here + "/data/archive/" + $0 }
    let verdict = try TreeRing.run(program: "treering", ["verify"] + files, in: here)
    #expect(verdict.code == 0, "\(verdict.output) \(ship.errors)")
    #expect(verdict.last.hasPrefix("emitted 100002 "), "\(verdict.last)")
  }

  @Test func superviseRestartsACrashingProgramAndGivesUpInTheEnd() throws {
    let directory = try TemporaryDirectory()
    let variables = ["TREERING_DIR": directory.path + "/rings", "TREERING_FORMAT": "json"]
    let result = try TreeRing.run(
      program: "treering",
      ["supervise", "--workers", "1", "--max-restarts", "2/10", "--", "/bin/sh", "-c", "kill -9 $$"],
      in: directory.path, environment: variables)
    #expect(result.code == 1)
    #expect(result.errors.components(separatedBy: #""msg":"worker crashed""#).count == 4, "\(result.errors)")
    #expect(result.errors.contains(#""signal":"SIGKILL""#))
  }
}

enum Files {
  /// What a directory holds.
  static func names(_ directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory)
  }
}
