import CTreeRing
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import TreeRing

/// What an observer has seen.
final class Sightings {
  var records: [RecordedLog] = []
  var rings: [String] = []
  var sequences: [UInt64] = []
  var missed: UInt64 = 0
  var dropped: UInt64 = 0
  var unreadable = 0

  @discardableResult
  func look(_ observer: RingObserver, until moment: UInt64 = .max) -> RingObserver.Standing {
    unsafe observer.look(until: moment) { sight in
      switch unsafe sight {
      case .record(let record, let context):
        unsafe records.append(RecordedLog(record, context))
        unsafe rings.append(context.ring.description)
        unsafe sequences.append(record.sequence)
      case .missed(let count, _): missed &+= count
      case .dropped(let count): dropped &+= count
      case .unreadable(let bytes, _): unreadable += bytes
      }
    }
  }

  var messages: [String] { records.map(\.message) }
}

/// Looking on without being noticed.
struct RingObserverTests {
  @Test func whatIsCommittedIsSeenAndNothingIsTouched() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, rings: 2)
    let observer = try RingObserver(path: fixture.path, from: .backlog)
    let seen = Sightings()
    #expect(seen.look(observer) == .running && seen.records.isEmpty)
    let before = try Data(contentsOf: URL(fileURLWithPath: fixture.path)).prefix(Int(TR_HEADER_SIZE))
    fixture.commit(EncodedRecord({ "one \(1, "number")" }))
    fixture.commit(EncodedRecord(level: .warning, { "two" }), ring: 1)
    #expect(seen.look(observer) == .running)
    #expect(Set(seen.messages) == ["one 1", "two"] && seen.records.contains { $0["number"] == 1 })
    #expect(Set(seen.rings).count == 2 && seen.missed == 0 && seen.unreadable == 0)
    #expect(unsafe fixture.ring(0).pointee.tail == 0 && fixture.ring(0).pointee.consumed == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)).prefix(Int(TR_HEADER_SIZE)) == before)
    // Nobody is kept from consuming, and a record is seen once.
    let collector = try RingCollector(path: fixture.path) { _ in [MemorySink()] }
    #expect(collector.step() == .delivered)
    seen.look(observer)
    #expect(seen.records.count == 2)
  }

  @Test func recordsThatWereReleasedAreStillSeen() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    for number in 0..<10 { fixture.commit(EncodedRecord({ "record \(number)" })) }
    let collector = try RingCollector(path: fixture.path) { _ in [MemorySink()] }
    #expect(collector.step() == .delivered)
    #expect(unsafe fixture.ring(0).pointee.tail > 0)
    let seen = Sightings()
    seen.look(try RingObserver(path: fixture.path, from: .backlog))
    #expect(seen.messages == (0..<10).map { "record \($0)" })
    let late = Sightings()
    let observer = try RingObserver(path: fixture.path, from: .now)
    late.look(observer)
    fixture.commit(EncodedRecord({ "new" }))
    late.look(observer)
    #expect(late.messages == ["new"] && late.missed == 0)
  }

  /// A late observer finds the newest stretch of a ring that has gone round many times.
  @Test func aBacklogBeginsWithAWholeRecord() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    let collector = try RingCollector(path: fixture.path) { _ in [MemorySink()] }
    for number in 0..<1000 {
      fixture.commit(EncodedRecord({ "record \(number, "number") \(String(repeating: "x", count: number % 100))" }))
      _ = collector.step()
    }
    let seen = Sightings()
    seen.look(try RingObserver(path: fixture.path, from: .backlog))
    let numbers = seen.records.compactMap { $0["number"]?.intValue }
    #expect(numbers.count > 10, "three quarters of a ring of 4 KiB: \(numbers)")
    #expect(numbers == Array((1000 - numbers.count)..<1000))
    #expect(seen.missed == 0, "what was there before it came is no loss")
    let told = Sightings()
    told.look(try RingObserver(path: fixture.path, from: .beginning))
    #expect(told.missed + UInt64(told.records.count) == 1000)
  }

  @Test func whatWasOverwrittenIsTold() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    let collector = try RingCollector(path: fixture.path) { _ in [MemorySink()] }
    let observer = try RingObserver(path: fixture.path, from: .beginning)
    let seen = Sightings()
    for number in 0..<3000 {
      fixture.commit(EncodedRecord({ "record \(number, "number")" }))
      _ = collector.step()
      // At times it looks at every record, at times it does not look for long.
      if number % 700 < 300 { seen.look(observer) }
    }
    seen.look(observer)
    #expect(seen.missed > 0)
    #expect(seen.missed + UInt64(seen.records.count) == 3000)
    #expect(seen.sequences == seen.records.compactMap { $0["number"]?.intValue.map(UInt64.init) })
    #expect(zip(seen.sequences, seen.sequences.dropFirst()).allSatisfy { $0 < $1 } && seen.unreadable == 0)
  }

  /// Unread records are safe from being overwritten, so all of them can be seen, however full the ring is.
  @Test func aFullRingIsReadToItsTail() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    var count = 0
    while fixture.commit(EncodedRecord({ "record \(count, "number")" })) { count += 1 }
    let seen = Sightings()
    seen.look(try RingObserver(path: fixture.path, from: .backlog))
    #expect(seen.records.count == count && seen.missed == 0)
  }

  /// A producer and its consumer run as fast as they can while somebody looks on: what is seen is right, and what is not is counted.
  @Test func aRaceShowsNothingThatWasNotLogged() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, ringSize: 16_384)
    let path = fixture.path
    let total: UInt64 = 60_000
    let isOver = Atomic<Bool>(false)
    let isDrained = Atomic<Bool>(false)
    let consumer = Thread {
      guard let collector = try? RingCollector(path: path, sinks: { _ in [NullSink()] }) else { return }
      while !isOver.load(ordering: .acquiring) || collector.step() == .delivered { _ = collector.step() }
      isDrained.store(true, ordering: .releasing)
    }
    let box = Unchecked(fixture)
    let producer = Thread {
      for number in 0..<total {
        let text = String(repeating: "abcdefgh", count: Int(number % 40))
        let record = EncodedRecord(room: 1024, { "record \(number, "number") \(text, "text") \(number, "again")" })
        while !box.value.commit(record) { usleep(10) }
      }
      isOver.store(true, ordering: .releasing)
    }
    let observer = try RingObserver(path: path, from: .beginning)
    let seen = Sightings()
    consumer.start()
    producer.start()
    while !isOver.load(ordering: .acquiring) { seen.look(observer, until: RingObserver.moment()) }
    seen.look(observer)
    while !isDrained.load(ordering: .acquiring) { usleep(1000) }
    #expect(seen.missed + UInt64(seen.records.count) == total)
    #expect(seen.unreadable == 0)
    for (record, sequence) in zip(seen.records, seen.sequences) {
      let text = String(repeating: "abcdefgh", count: Int(sequence % 40))
      let isRight =
        record["number"] == .integer(Int128(sequence)) && record["again"] == .integer(Int128(sequence))
        && record["text"] == .string(text)
      if !isRight {
        Issue.record("record \(sequence): \(record)")
        break
      }
    }
    #expect(zip(seen.sequences, seen.sequences.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func whatIsCommittedAfterTheMomentComesWithTheNextLook() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    let observer = try RingObserver(path: fixture.path, from: .backlog)
    let seen = Sightings()
    let moment = RingObserver.moment()
    fixture.commit(EncodedRecord({ "later" }))
    seen.look(observer, until: moment)
    #expect(seen.records.isEmpty)
    seen.look(observer, until: RingObserver.moment())
    #expect(seen.messages == ["later"])
  }

  @Test func dropsAreTold() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    unsafe tr_ring_dropped(fixture.ring(0))[2] = 5
    let observer = try RingObserver(path: fixture.path, from: .backlog)
    let seen = Sightings()
    seen.look(observer)
    #expect(seen.dropped == 0, "those of before")
    unsafe tr_ring_dropped(fixture.ring(0))[3] = 7
    seen.look(observer)
    seen.look(observer)
    #expect(seen.dropped == 7)
  }

  @Test func anEndIsTold() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    fixture.commit(EncodedRecord({ "last words" }))
    let observer = try RingObserver(path: fixture.path, from: .backlog)
    let seen = Sightings()
    fixture.die()
    #expect(seen.look(observer) == .died(unread: 1))
    #expect(seen.messages == ["last words"])

    let other = try RingFixture(directory)
    let second = try RingObserver(path: other.path, from: .backlog)
    other.commit(EncodedRecord({ "before the end" }))
    other.seal()
    #expect(seen.look(second) == .closed)
    #expect(seen.messages.last == "before the end")
  }

  // MARK: hostile files

  @Test func aFileThatIsCutWhileItIsWatchedKillsNobody() throws {
    for size in [0, 100, 4096, 65_536, 66_000, 69_632, 70_000, 73_728] {
      let directory = try TemporaryDirectory()
      let fixture = try RingFixture(directory, rings: 2)
      for number in 0..<20 { fixture.commit(EncodedRecord({ "record \(number, "number")" }), ring: number % 2) }
      let observer = try RingObserver(path: fixture.path, from: .backlog)
      let seen = Sightings()
      seen.look(observer)
      #expect(seen.records.count == 20)
      #expect(unsafe truncate(fixture.path, off_t(size)) == 0)
      for _ in 0..<3 { seen.look(observer) }
      #expect(seen.records.count == 20)
    }
  }

  @Test func aHostileProducerDoesNotStopTheObserver() throws {
    var random = SeededGenerator("hostile observer")
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, rings: 2)
    var observer = try RingObserver(path: fixture.path, from: .backlog)
    let seen = Sightings()
    for round in 0..<3_000 {
      let ring = unsafe fixture.ring(round % 2)
      let start = unsafe tr_start(ring)
      let noise = random.bytes(64)
      for index in 0..<64 { unsafe start[index] = noise[index] }
      switch random.next() % 7 {
      case 0: unsafe tr_store64(ring, random.next())
      case 1: unsafe tr_store64(ring, unsafe tr_load64(ring) &+ 64)
      case 2: unsafe tr_store64(&ring.pointee.tail, random.next())
      case 3: unsafe tr_store64(&ring.pointee.sequence, random.next())
      case 4: unsafe tr_store64(ring, random.next() % 20_000)
      case 5: unsafe tr_store64(&ring.pointee.consumed, .max)
      default: unsafe tr_store64(tr_ring_dropped(ring) + Int(random.next() % 32), random.next())
      }
      seen.look(observer, until: RingObserver.moment())
      if round % 100 == 0 { observer = try RingObserver(path: fixture.path, from: round % 200 == 0 ? .backlog : .now) }
    }
    fixture.die()
    guard case .died = seen.look(observer) else {
      Issue.record("seed \(random.seed): the end was not seen")
      return
    }
  }

  /// Any file at all: refused with its name, or looked at to no harm. `TREERING_FUZZ_FILES` is the number of files.
  @Test func damagedFilesKillNobody() throws {
    var random = SeededGenerator("observed files")
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, rings: 2)
    for number in 0..<60 { fixture.commit(EncodedRecord({ "record \(number, "number")" }), ring: number % 2) }
    fixture.die()
    let intact = try Array(Data(contentsOf: URL(fileURLWithPath: fixture.path)))
    let path = directory.file("damaged.ring")
    var looked = 0
    for _ in 0..<environment("TREERING_FUZZ_FILES", default: 500) {
      var bytes = intact
      for _ in 0...random.next() % 6 {
        let region = random.next() % 2 == 0 ? 0..<2408 : max(intact.count - 20_000, 0)..<intact.count
        bytes[region.lowerBound + Int(random.next() % UInt64(region.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      if random.next() % 8 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      do {
        let observer = try RingObserver(path: path, from: .backlog)
        let seen = Sightings()
        seen.look(observer)
        looked += 1
      } catch {
        #expect(error.description.contains(path), "seed \(random.seed)")
      }
    }
    #expect(looked > 0)
  }
}

/// For a value that one thread at a time uses.
private struct Unchecked<Value>: @unchecked Sendable {  // handed over as a whole
  let value: Value
  init(_ value: Value) { self.value = value }
}
