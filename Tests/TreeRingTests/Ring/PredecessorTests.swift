import CTreeRing
import Dispatch
import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// What a start does with the ring files it finds.
@Suite struct PredecessorTests {
  /// A dead process of the program `fixture`, whose sinks are spelled `sinks`, with `records` that nobody has taken.
  private func deadProcess(
    _ directory: TemporaryDirectory, sinks: String = "", records: Int = 10, mode: UInt32 = 0
  ) throws -> RingFixture {
    let fixture = try RingFixture(directory, mode: mode)
    unsafe RingFile.copy(Array(sinks.utf8), to: UnsafeMutableRawPointer(tr_header_sinks(fixture.header)), 2047)
    for number in 0..<records { fixture.commit(EncodedRecord({ "left \(number, "number")" })) }
    fixture.die()
    return fixture
  }

  private func predecessors(
    _ directory: TemporaryDirectory, _ sinks: [any Sink], program: String = "fixture"
  ) -> Predecessors {
    Predecessors(directory: directory.file("rings"), program: program, sinks: sinks) {
      Issue.record("complained: \($0)")
    }
  }

  private func finish(_ predecessors: Predecessors) {
    predecessors.settle()
    while predecessors.step() {}
  }

  @Test func theirRecordsGoToTheFileTheyWereWriting() throws {
    let directory = try TemporaryDirectory()
    let fixture = try deadProcess(directory, sinks: "file:\(directory.file("log"))")
    let own = MemorySink()
    finish(predecessors(directory, [own]))
    let account = try StreamAccount(JSONRecord.read(directory.file("log")))
    #expect(account.faults == [])
    #expect(account.records.compactMap { $0.integer("number") } == Array(0..<10))
    #expect(account.records.allSatisfy { $0["treering.recovered"] as? Bool == true })
    #expect(own.bytes.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: fixture.path))
  }

  @Test func whatNoFileCanTakeGoesToOurSinks() throws {
    let directory = try TemporaryDirectory()
    _ = try deadProcess(directory, sinks: "stderr:")
    let own = MemorySink()
    finish(predecessors(directory, [own]))
    let account = try StreamAccount(own.records())
    #expect(account.faults == [] && account.records.count == 10)
  }

  /// Half of the last batch is in the file that we are going to append to. It is taken back before we do.
  @Test func anUnfinishedBatchIsSettledBeforeAnybodyAppends() throws {
    let directory = try TemporaryDirectory()
    let log = directory.file("log")
    let fixture = try deadProcess(directory, sinks: "file:\(log)")
    let file = try FileSink(path: log)
    unsafe try "before\n".withUTF8Bytes { unsafe try file.write($0) }
    do {
      let attachment = try RingAttachment(path: fixture.path, consumes: true)
      let ring = try #require(attachment.readRing(0))
      try unsafe String(repeating: "half of a batch ", count: 60).withUTF8Bytes { batch in
        let intent = try file.intent(length: batch.count)
        unsafe IntentJournal(attachment).begin(
          [.init(0, ring.head, 10, nil)], [.init(slot: 0, destination: intent, bytes: batch)], .init(), lost: nil,
          isLast: false)
      }
    }
    unsafe try "half of a ba".withUTF8Bytes { unsafe try file.write($0) }
    let predecessors = predecessors(directory, [file])
    predecessors.settle()
    // Longer than the rest of the batch would have been: asked now, the file's length would say that it arrived.
    unsafe try (String(repeating: "ours", count: 300) + "\n").withUTF8Bytes { unsafe try file.write($0) }
    while predecessors.step() {}
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    #expect(lines.first == "before" && lines.dropFirst().first?.hasPrefix("ours") == true)
    let account = try StreamAccount(lines.dropFirst(2).map { try JSONRecord(line: $0) })
    #expect(account.faults == [] && account.records.count == 10)
  }

  @Test func oneOfTwoStartersTakesEachFile() throws {
    let directory = try TemporaryDirectory()
    let fixtures = try (0..<6).map { _ in try deadProcess(directory) }
    let sinks = [MemorySink(), MemorySink()]
    let starters = sinks.map { predecessors(directory, [$0]) }
    starters.forEach { $0.settle() }
    var isWorking = [true, true]
    while isWorking.contains(true) {
      for index in 0..<2 where isWorking[index] { isWorking[index] = starters[index].step() }
    }
    let account = try StreamAccount(sinks.flatMap { try $0.records() })
    #expect(account.faults == [])
    #expect(account.processes.count == fixtures.count)
    #expect(account.records.count == 60)
    #expect(sinks.allSatisfy { !$0.bytes.isEmpty }, "both had something to do")
  }

  /// A service with many workers starts them all at once. Each finds files that another one has in hand, or finishes between two looks: that is nothing to complain of.
  @Test func manyStartersAtOnceDoNotComplain() throws {
    for _ in 0..<environment("TREERING_STARTS", default: 5) {
      let directory = try TemporaryDirectory()
      let fixtures = try (0..<24).map { _ in try deadProcess(directory) }
      let sinks = (0..<4).map { _ in MemorySink() }
      DispatchQueue.concurrentPerform(iterations: sinks.count) { finish(predecessors(directory, [sinks[$0]])) }
      // What one had in hand when the others looked, it has finished by now.
      let account = try StreamAccount(sinks.flatMap { try $0.records() })
      #expect(account.faults == [])
      #expect(account.processes.count == fixtures.count)
      #expect(account.records.count == 240)
      #expect(directory.names(in: "rings") == [])
    }
  }

  /// A process that is killed while it makes its ring file leaves it under its hidden name. It goes when nobody can be making it any more.
  @Test func filesThatWereNeverFinishedAreRemoved() throws {
    let directory = try TemporaryDirectory()
    _ = try deadProcess(directory)
    func make(_ name: String, secondsOld: Int) throws -> String {
      let path = directory.file("rings/\(name)")
      try Data(repeating: 0, count: 100).write(to: URL(fileURLWithPath: path))
      let date = Date(timeIntervalSinceNow: -Double(secondsOld))
      try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
      return path
    }
    _ = try make(".dead-1-0.ring", secondsOld: 100)
    let locked = try make(".slow-2-0.ring", secondsOld: 100)
    _ = try make(".young-3-0.ring", secondsOld: 10)
    _ = try make(".another", secondsOld: 100)
    let descriptor = try Syscalls.open(locked, O_RDWR)
    defer { close(descriptor) }
    #expect(tr_lock_byte(descriptor, RingFile.producerByte) == 0)
    finish(predecessors(directory, [MemorySink()]))
    #expect(directory.names(in: "rings").sorted() == [".another", ".slow-2-0.ring", ".young-3-0.ring"])
  }

  @Test func whatIsNotOursStays() throws {
    let directory = try TemporaryDirectory()
    let alive = try RingFixture(directory, mode: 0)
    alive.commit(EncodedRecord({ "alive" }))
    let collected = try deadProcess(directory, mode: 1)
    let busy = try deadProcess(directory)
    let other = try RingAttachment(path: busy.path, consumes: true)
    let own = MemorySink()
    finish(predecessors(directory, [own]))
    #expect(own.bytes.isEmpty)
    finish(predecessors(directory, [own], program: "another"))
    #expect(own.bytes.isEmpty)
    #expect(directory.names(in: "rings").count == 3)
    for fixture in [alive, collected, busy] { #expect(FileManager.default.fileExists(atPath: fixture.path)) }
    #expect(!other.isProducerAlive)
  }

  /// A consumer that opened the file before another one finished it must not take the dead file for one with work left.
  @Test func aFinishedFileIsNotFinishedAgain() throws {
    let directory = try TemporaryDirectory()
    let fixture = try deadProcess(directory)
    let link = directory.file("held.ring")
    unsafe #expect(Glibc.link(fixture.path, link) == 0)
    let own = MemorySink()
    finish(predecessors(directory, [own]))
    // The closing records went to something that cannot be asked; the header says that they arrived.
    let late = try RingCollector(path: link) { _ in [own] }
    #expect(late.settlement == "finished" && late.step() == .finished)
    let account = try StreamAccount(own.records())
    #expect(account.faults == [] && account.records.count == 10)
  }

  @Test func aSinkThatRefusesLeavesTheRecordsForLater() throws {
    let directory = try TemporaryDirectory()
    let fixture = try deadProcess(directory)
    let sink = MemorySink()
    sink.failure = Errno(ENOSPC)
    var complaints: [String] = []
    let first = Predecessors(directory: directory.file("rings"), program: "fixture", sinks: [sink]) {
      complaints.append($0)
    }
    finish(first)
    #expect(complaints.count == 1 && complaints[0].contains(fixture.path), "\(complaints)")
    sink.failure = nil
    finish(predecessors(directory, [sink]))
    let account = try StreamAccount(sink.records())
    #expect(account.faults == [] && account.records.count == 10)
  }

  /// One line, however many there are, and the program goes on. Other programs' files are theirs.
  @Test(arguments: [("fixture", 1), ("fixtures", 0)])
  func garbageIsRefusedInOneLine(name: String, lines: Int) throws {
    let directory = try TemporaryDirectory()
    _ = try deadProcess(directory)
    for number in 0..<5 {
      try Data(repeating: UInt8(number), count: 70_000).write(
        to: URL(fileURLWithPath: directory.file("rings/\(name)-\(number)-0.ring")))
    }
    unsafe symlink(directory.file("log"), directory.file("rings/\(name)-link-0.ring"))
    let own = MemorySink()
    var complaints: [String] = []
    finish(
      Predecessors(directory: directory.file("rings"), program: "fixture", sinks: [own]) { complaints.append($0) })
    #expect(complaints.count == lines && complaints.allSatisfy { $0.contains("is not a ring file") }, "\(complaints)")
    #expect(try StreamAccount(own.records()).records.count == 10)
    #expect(!FileManager.default.fileExists(atPath: directory.file("log")))
  }
}

extension String {
  fileprivate func withUTF8Bytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    var copy = self
    return try copy.withUTF8 { unsafe try body(UnsafeRawBufferPointer($0)) }
  }
}
