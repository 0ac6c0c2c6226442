import CTreeRing
import Foundation
import TestSupport
import Testing

@testable import TreeRing

/// One run of the LogStorm program: where its rings and its log are, and what recovery makes of them.
struct StormRun {
  let directory: TemporaryDirectory
  var environment: [String: String]

  init(_ variables: [String: String] = [:]) throws {
    directory = try TemporaryDirectory()
    environment = ["TREERING_DIR": directory.file("rings"), "TREERING_SINK": "file:\(directory.file("log"))"]
    environment.merge(variables) { $1 }
  }

  var log: String { directory.file("log") }
  var progressFile: String { directory.file("progress") }
  /// Ring files that are there now, without those that were never finished because their process was killed.
  var ringFiles: [String] { directory.names(in: "rings").filter { $0.hasSuffix(".ring") && !$0.hasPrefix(".") } }

  func start(_ arguments: String...) throws -> ChildProcess {
    try ChildProcess("LogStorm", arguments, environment: environment, errors: directory.file("errors"))
  }

  /// Runs to a normal end and returns what it printed.
  @discardableResult
  func finish(_ arguments: String..., within limit: Duration = ChildProcess.patience) throws -> String {
    let child = try ChildProcess("LogStorm", arguments, environment: environment, errors: directory.file("errors"))
    let output = child.readAll(within: limit)
    #expect(child.wait() == .exit(0), "\(child.errors)")
    return output
  }

  /// A storm of `threads` threads that is killed at a random moment.
  func kill(threads: Int, afterMicroseconds delay: UInt32, meanwhile: () throws -> Void = {}) throws {
    let child = try start("\(threads)", "", progressFile)
    #expect(child.readLine() == "ready", "\(child.errors)")
    try meanwhile()
    usleep(delay)
    child.kill(SIGKILL)
    #expect(child.wait() == .signal(SIGKILL))
  }

  /// Finishes every ring file as `treering recover` does: into the file that its header names, or `output`. Returns what had to be settled.
  @discardableResult
  func recover(into output: String? = nil) throws -> [String] {
    var settlements: [String] = []
    for path in try RingDirectory.files(in: directory.file("rings")) {
      let collector = try RingCollector(path: path) { attachment in
        if let output { return [try FileSink(path: output)] }
        return try Self.sinks(namedBy: attachment)
      }
      settlements.append(collector.settlement)
      var steps = 0
      var step = collector.step()
      while step != .finished, steps < 100_000 {
        if case .failed(let error) = step { throw error }
        step = collector.step()
        steps += 1
      }
      #expect(step == .finished)
      #expect(collector.counters.unreadableBytes == 0, "torn records in \(path)")
    }
    #expect(ringFiles == [], "recovery leaves no ring file")
    return settlements
  }

  private static func sinks(namedBy attachment: RingAttachment) throws -> [any Sink] {
    var header = try #require(attachment.readHeader())
    let list = unsafe text(tr_header_sinks(&header), limit: 2048)
    return try #require(SinkConfiguration.parse(list: list), "\(list)").map { try $0.open() }
  }

  func records() throws -> [JSONRecord] { try JSONRecord.read(log) }

  /// The numbers of calls that had returned, by thread.
  func returnedCalls(threads: Int) throws -> [Int] {
    let data = try Data(contentsOf: URL(fileURLWithPath: progressFile))
    return (0..<threads).map { thread in
      unsafe data.withUnsafeBytes { unsafe $0.load(fromByteOffset: thread * 64, as: Int.self) }
    }
  }

  /// The storm's promise: every call that returned is in the account, as a record or as a drop, and a call that was cut off is there whole or not at all.
  func checkStorm(_ account: StreamAccount, threads: Int, seed: UInt64) throws {
    #expect(account.faults == [], "seed \(seed)")
    #expect(account.lost == 0, "seed \(seed)")
    var byThread: [Int: [Int]] = [:]
    var ringOfThread: [Int: String] = [:]
    for record in account.records where record.msg != "storm begins" {
      let thread = try #require(record.integer("storm.thread"), "\(record)")
      let number = try #require(record.integer("storm.number"), "\(record)")
      if record.msg != "record \(number) of thread \(thread)" || record["storm.text"] as? String != "päyload" {
        Issue.record("text and fields differ: \(record), seed \(seed)")
      }
      byThread[thread, default: []].append(number)
      ringOfThread[thread] = record.ring
    }
    let returned = try returnedCalls(threads: threads)
    for thread in 0..<threads {
      let numbers = byThread[thread] ?? []
      let dropped = ringOfThread[thread].flatMap { account.rings[$0]?.dropped } ?? 0
      let accounted = numbers.count + dropped
      #expect(
        accounted == returned[thread] || accounted == returned[thread] + 1,
        "thread \(thread): \(returned[thread]) calls, \(numbers.count) records, \(dropped) drops, seed \(seed)")
      #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, "thread \(thread), seed \(seed)")
      if dropped == 0 { #expect(numbers.last ?? -1 == numbers.count - 1, "thread \(thread), seed \(seed)") }
    }
  }
}
