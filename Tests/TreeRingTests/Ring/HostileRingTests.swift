import CTreeRing
import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Ring files that are well-formed enough to be opened, and lie.
@Suite struct HostileRingTests {
  private func drain(_ fixture: RingFixture, _ sink: MemorySink, passes: Int = 20) throws -> RingCollector {
    let collector = try RingCollector(path: fixture.path) { _ in [sink] }
    for _ in 0..<passes where collector.step() == .delivered {}
    return collector
  }

  /// A ring that says it ends before it begins, or holds more than it can: told once, and the other rings go on.
  @Test(arguments: [8, 4096 * 5, UInt64.max] as [UInt64])
  func aRingWithAnImpossibleHeadIsTold(head: UInt64) throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, rings: 2)
    for number in 0..<4 { fixture.commit(EncodedRecord({ "number \(number, "number")" }), ring: number % 2) }
    unsafe fixture.ring(0).pointee.tail = 64
    unsafe fixture.ring(0).pointee.head = head
    let sink = MemorySink()
    let collector = try drain(fixture, sink)
    let records = try sink.records()
    #expect(records.filter { $0.msg == "records unreadable" }.count == 1)
    #expect(records.first { $0.msg == "records unreadable" }?.ring?.hasSuffix(".0") == true)
    #expect(records.filter { $0.ring?.hasSuffix(".1") == true }.compactMap { $0.integer("number") } == [1, 3])
    #expect(collector.counters.damagedRings == 1)
    fixture.die()
    for _ in 0..<20 where collector.step() != .finished {}
    #expect(collector.isFinished, "a damaged ring does not keep the file for ever")
  }

  @Test func aRingOfAnotherSizeIsTold() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    fixture.commit(EncodedRecord({ "record" }))
    unsafe fixture.ring(0).pointee.mask = 65_535
    let sink = MemorySink()
    let collector = try drain(fixture, sink)
    #expect(try sink.records().map(\.msg) == ["records unreadable"])
    #expect(collector.counters.damagedRings == 1)
    unsafe fixture.ring(0).pointee.mask = 4095
  }

  /// A terabyte that is not there: rings that have no pages are no rings, and nothing is mapped, searched or copied for them.
  @Test func aFileThatIsMostlyHolesHoldsNoRings() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    fixture.commit(EncodedRecord({ "in a ring that has pages" }))
    let capacity: UInt64 = 1 << 30
    var header = unsafe fixture.header.pointee
    var ring = unsafe fixture.ring(0).pointee
    (header.ring_capacity, header.slot_size, header.ring_count) = (capacity, capacity + 4096, UInt32(TR_MAX_RINGS))
    (ring.mask, ring.head, ring.tail, ring.sequence) = (capacity - 1, capacity, 0, 1000)
    let path = directory.file("rings/hostile-1-ab.ring")
    let file = try Syscalls.open(path, O_RDWR | O_CREAT)
    defer { close(file) }
    unsafe pwrite(file, &header, MemoryLayout<TRProcessHeader>.size, 0)
    for index in 0..<Int(TR_MAX_RINGS) where index % 100 == 0 {
      let place = Int(TR_RINGS_OFFSET) + index * Int(capacity + 4096)
      guard unsafe pwrite(file, &ring, MemoryLayout<TRRing>.size, off_t(place)) > 0 else { break }
    }
    ftruncate(file, off_t(TR_RINGS_OFFSET) + off_t(TR_MAX_RINGS) * off_t(capacity + 4096))
    let attachment = try RingAttachment(path: path, consumes: false)
    #expect(attachment.ringCount == Int(TR_MAX_RINGS))
    #expect((0..<attachment.ringCount).allSatisfy { attachment.readRing($0) == nil })
    #expect(try RingSurvey(path: path).unread == 0)
    // What a process has made has pages, whatever its size.
    let large = try RingFixture(directory, ringSize: 64 << 20)
    large.commit(EncodedRecord({ "in a large ring" }))
    for path in [fixture.path, large.path] {
      #expect(try RingAttachment(path: path, consumes: false).readRing(0)?.head ?? 0 > 0)
    }
  }

  /// Its process lives. The record is delivered with the rest, and the time of those behind it is their own.
  @Test func ticksFromTheFutureHoldNothingBack() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    for number in 0..<3 { fixture.commit(EncodedRecord({ "number \(number, "number")" })) }
    fixture.tick(record: 1, .max)
    let before = Syscalls.now(CLOCK_REALTIME)
    let sink = MemorySink()
    _ = try drain(fixture, sink)
    let records = try sink.records()
    #expect(records.compactMap { $0.integer("number") } == [0, 1, 2])
    let limit = Date(timeIntervalSince1970: Double(before) / 1e9 + 3600).ISO8601Format()
    #expect(records.allSatisfy { ($0.time ?? "9") < limit }, "\(records)")
    #expect(zip(records, records.dropFirst()).allSatisfy { ($0.time ?? "") <= ($1.time ?? "") })
  }

  @Test func ticksFromLongAgoDoNotStepBack() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    for number in 0..<3 { fixture.commit(EncodedRecord({ "number \(number, "number")" })) }
    fixture.tick(record: 1, 0)
    let sink = MemorySink()
    _ = try drain(fixture, sink)
    let times = try sink.records().compactMap(\.time)
    #expect(times.count == 3 && times == times.sorted())
  }

  @Test func anotherVersionAndAnotherBootAreToldApart() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    fixture.commit(EncodedRecord({ "before the reboot" }))
    unsafe tr_header_boot_id(fixture.header)[0] ^= 1
    fixture.die()
    let sink = MemorySink()
    let collector = try drain(fixture, sink)
    #expect(collector.isFinished)
    let account = try StreamAccount(sink.records())
    #expect(account.faults == [] && account.records.count == 1, "another boot's records are read by its own clock")

    let next = try RingFixture(directory)
    unsafe next.header.pointee.version = 99
    do {
      _ = try RingCollector(path: next.path) { _ in [] }
      Issue.record("a file of another version was opened")
    } catch {
      #expect("\(error)".contains(next.path) && "\(error)".contains("ring format 99"))
    }
  }

  /// Only root can make a file of somebody else. Root may read it; the sinks it names are not believed.
  @Test func anotherUsersFileLeadsNowhere() throws {
    guard geteuid() == 0 else { return print("not run: another user's ring file needs root") }
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, mode: 0)
    let target = directory.file("target")
    unsafe RingFile.copy(
      Array("file:\(target)".utf8), to: UnsafeMutableRawPointer(tr_header_sinks(fixture.header)), 2047)
    fixture.commit(EncodedRecord({ "record" }))
    fixture.die()
    unsafe #expect(chown(fixture.path, 65_534, 65_534) == 0)
    let own = MemorySink()
    let predecessors = Predecessors(directory: directory.file("rings"), program: "fixture", sinks: [own])
    predecessors.settle()
    #expect(!predecessors.step() && own.bytes.isEmpty, "another user's process is no predecessor")
    let fallback = MemorySink()
    guard case .recovered(let records, let places, _) = try Recovery(fallback: fallback).recover(fixture.path) else {
      Issue.record("root may recover it")
      return
    }
    #expect(records == 1 && places == ["standard output"] && !fallback.bytes.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: target))
  }

  /// A name in a group twice would be no JSON object that readers agree on.
  @Test func namesInGroupsAreUnique() throws {
    let record = EncodedRecord({ "text" }) {
      $0["time"] = 1
      $0.group("group") {
        $0["time"] = 2
        $0["name"] = 3
        $0["name"] = 4
        $0.group("inner") {
          $0["name"] = 5
          $0["name"] = 6
        }
        $0["name"] = 7
      }
      $0["name"] = 8
      $0["group"] = 9
    }
    let line = try record.json().line
    #expect(
      line.hasSuffix(
        #""time_":1,"group":{"time":2,"name":3,"name_":4,"inner":{"name":5,"name_":6},"name__":7},"name":8,"group_":9}"#
      ),
      "\(line)")
  }
}
