import CTreeRing
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// In which order the records of several threads come: see "Order" in Architecture.md.
@Suite struct DrainOrderTests {
  private func record(_ number: Int) -> EncodedRecord { EncodedRecord({ "number \(number, "number")" }) }

  private func numbers(_ sink: MemorySink) throws -> [Int] { try sink.records().compactMap { $0.integer("number") } }

  /// What has been committed when a pass begins comes in the order of its times, over all rings and over all batches that it takes.
  @Test func whatIsCommittedComesInOrder() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, rings: 3, ringSize: 1 << 20)
    for number in 0..<9000 { fixture.commit(record(number), ring: number * 7 % 5 % 3) }
    let sink = MemorySink()
    let drain = Drain(try RingAttachment(path: fixture.path, consumes: true), sinks: [sink])
    var passes = 0
    while drain.pass() == .delivered { passes += 1 }
    #expect(passes > 1)
    #expect(try numbers(sink) == Array(0..<9000))
  }

  /// The same where a pass copies a part of each ring only: a ring whose part is taken holds the others back.
  @Test func aPartOfEachRingComesInOrder() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, rings: 2, ringSize: 65_536)
    // The first ring has nine of ten, so its part ends long before the other one's.
    for number in 0..<1000 { fixture.commit(record(number), ring: number % 10 == 9 ? 1 : 0) }
    let source = try RingAttachment(path: fixture.path, consumes: true)
    source.ownStretch = 4096
    let sink = MemorySink()
    let drain = Drain(source, sinks: [sink])
    var passes = 0
    while drain.pass() == .delivered { passes += 1 }
    #expect(passes > 5)
    #expect(try numbers(sink) == Array(0..<1000))
  }

  /// Bytes that are no records end a ring's part, and the ring goes on behind all that was there.
  @Test func aPartThatIsUnreadableIsGivenUpAsAWhole() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, ringSize: 65_536)
    for number in 0..<300 { fixture.commit(record(number)) }
    fixture.damage(record: 100)
    let source = try RingAttachment(path: fixture.path, consumes: true)
    source.ownStretch = 4096
    let sink = MemorySink()
    let drain = Drain(source, sinks: [sink])
    while drain.pass() == .delivered {}
    fixture.commit(record(300))
    while drain.pass() == .delivered {}
    #expect(try numbers(sink) == Array(0..<100) + [300])
    #expect(try sink.records().count { $0.msg == "records unreadable" } == 1)
  }

  /// A call takes its time before its record can be seen. One that is held up between the two comes with a later batch, behind records that are younger: the order over
  /// rings holds within a batch, and its own ring's always.
  @Test func aRecordThatIsCommittedLateComesLate() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, rings: 2, ringSize: 65_536)
    let sink = MemorySink()
    let drain = Drain(try RingAttachment(path: fixture.path, consumes: true), sinks: [sink])
    fixture.commit(record(0))
    fixture.hold(record(1)) {
      // Longer than two lines through both clocks differ.
      usleep(2000)
      fixture.commit(record(2), ring: 1)
      #expect(drain.pass() == .delivered)
    }
    fixture.commit(record(3), ring: 1)
    fixture.commit(record(4))
    while drain.pass() == .delivered {}
    #expect(try numbers(sink) == [0, 2, 1, 3, 4])
    let times = try sink.records().compactMap(\.time)
    #expect(times[2] < times[1], "its time tells where it belongs")
    let account = try StreamAccount(sink.records(), isClosed: false)
    #expect(account.faults == [], "each ring's own order holds")
  }
}
