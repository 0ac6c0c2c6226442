import CTreeRing
import Foundation
import TestSupport
import Testing

@testable import TreeRing

/// Channels that are on for one task, and lines that are kept until a task fails.
@Suite struct DebugScopeTests {
  private func lines(_ arguments: String..., environment: [String: String] = [:]) throws -> [JSONRecord] {
    let run = try StormRun(environment)
    let child = try run.start(arguments[0])
    _ = child.readAll()
    #expect(child.wait() == .exit(0), "\(child.errors)")
    let records = try run.records()
    #expect(StreamAccount(records).faults == [])
    return records.filter { $0.ns != nil }
  }

  @Test func aScopeIsItsTaskAndItsChildrenAndNobodyElse() throws {
    let lines = try lines("scopes")
    for number in 0..<4 {
      let said = Set(lines.filter { $0.integer("number") == number }.compactMap(\.msg))
      let children = (0..<3).map { "child \($0) of \(number)" }
      #expect(
        said
          == Set(
            ["scope \(number) begins, on: true", "binding of \(number)", "task of \(number)", "scope \(number) ends"]
              + children))
    }
    let others = lines.filter { $0["number"] == nil }.compactMap(\.msg)
    #expect(others == ["without waiting"])
    #expect(lines.allSatisfy { $0.ns == "scope:inner" })
  }

  /// What is on for everybody stays on for everybody.
  @Test func aScopeAddsToWhatIsOn() throws {
    let lines = try lines("scopes", environment: ["DEBUG": "other:*"])
    #expect(lines.filter { $0.ns == "other:inner" }.count == 4)
    #expect(lines.filter { $0.msg?.hasSuffix("begins, on: true") == true }.count == 4)
    #expect(!lines.contains { $0.msg?.hasPrefix("outside") == true })
  }

  @Test func aRecordingIsWrittenWhenItsTaskFails() throws {
    let lines = try lines("recordings")
    for number in 0..<8 {
      let said = lines.filter { $0.integer("number") == number }
      let expected = (3..<6).map { "turn \($0) of \(number)" } + ["child of \(number)"]
      #expect(said.compactMap(\.msg) == (number % 2 == 1 ? expected : []), "the last four, oldest first")
      for line in said {
        let recorded = try #require(line.recorded.flatMap { Timestamp.nanoseconds(parsing: $0) })
        let time = try #require(line.time.flatMap { Timestamp.nanoseconds(parsing: $0) })
        // They come from two clocks; one that was read while the machine stood still is off by so much.
        #expect(recorded <= time + 5_000_000_000 && line.ns == "scope:inner")
      }
    }
    #expect(!lines.contains { $0.line.contains("correct-horse") })
    #expect(lines.contains { $0["scope.password"] as? String == "[redacted]" }, "\(lines.first?.line ?? "")")
    #expect(!lines.contains { $0.msg == "after" })
  }

  @Test func aSpecThatIsTooLongIsNotLookedAt() {
    #expect(DebugScope.filter(String(repeating: "a", count: DebugScope.longestSpec)) { true } != nil)
    #expect(DebugScope.filter(String(repeating: "a", count: DebugScope.longestSpec + 1)) { true } == nil)
  }

  @Test func aRecordingThatDoesNotWaitIsWrittenWhenItFails() async {
    await #expect(processExitsWith: .success) {
      struct Failure: Error {}
      let directory = try TemporaryDirectory()
      let file = directory.file("log")
      try LogSystem.start(LogConfiguration(sinks: [.file(file)], directory: directory.path))
      let channel = DebugChannel("recording:sync")
      for fails in [false, true] {
        do {
          let result = try FlightRecorder.withRecording(limit: 2) {
            for number in 0..<3 { channel("\(fails, "fails") \(number, "number")") }
            if fails { throw Failure() }
            return 7
          }
          #expect(result == 7 && !fails)
        } catch {
          #expect(error is Failure && fails)
        }
      }
      LogSystem.stop()
      let lines = try JSONRecord.read(file).filter { $0.ns == "recording:sync" }
      #expect(lines.compactMap(\.msg) == ["true 1", "true 2"])
    }
  }

  /// The same with the process's flight recorder on: a line goes to both.
  @Test func aRecordingAndTheBlackBoxTakeALineEach() throws {
    let lines = try lines("recordings", environment: ["TREERING_FLIGHT": "on"])
    #expect(lines.count == 16)
  }

  @Test func linesMayGoAsideInASignalHandler() throws {
    let run = try StormRun(["TREERING_FLIGHT": "on", "TREERING_RING_SIZE": "16MiB"])
    let child = try run.start("aside-signals", "20000")
    let interruptions = try #require(Int(child.readLine() ?? ""), "\(child.errors)")
    #expect(child.wait() == .exit(0))
    let records = try run.records()
    let account = StreamAccount(records)
    #expect(account.faults == [] && account.lost == 0)
    let numbers = records.filter { $0.msg?.hasPrefix("record ") == true }.compactMap { $0.integer("number") }
    let told = records.filter { $0.msg == "interruption" }.count
    let dropped = account.rings.values.reduce(0) { $0 + $1.dropped }
    #expect(numbers.count + told + dropped == 20_000 + interruptions, "a record that matters does not go aside")
    #expect(numbers == numbers.sorted())
    #expect(interruptions > 0)
    #expect(records.allSatisfy { $0.ns == nil })
  }
}
