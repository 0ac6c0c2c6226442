import CTreeRing
import Foundation
import TestSupport
import Testing

@testable import TreeRing

/// Ring files that are damaged, cut, or nonsense: a clear refusal, or drained to the end. `TREERING_FUZZ_FILES` is the number of files.
@Suite struct RingFileFuzzTests {
  private let files = environment("TREERING_FUZZ_FILES", default: 1_000)

  /// A file of a dead process, with records in two rings.
  private func template(_ directory: TemporaryDirectory) throws -> [UInt8] {
    let fixture = try RingFixture(directory, rings: 2)
    for number in 0..<20 {
      fixture.commit(EncodedRecord({ "record \(number, "number") with \("text", "text")" }), ring: number % 2)
    }
    fixture.die()
    return try Array(Data(contentsOf: URL(fileURLWithPath: fixture.path)))
  }

  /// Attaches, drains and closes; returns what it delivered, or nil when it was refused.
  private func drain(_ path: String, _ what: String) throws -> [JSONRecord]? {
    let sink = MemorySink()
    let collector: RingCollector
    do {
      collector = try RingCollector(path: path) { _ in [sink] }
    } catch let refusal as RingAttachment.Refusal {
      #expect(refusal.description.contains(path), "\(what)")
      return nil
    } catch let error as LogError {
      #expect(!error.description.isEmpty)
      return nil
    }
    var steps = 0
    while collector.step() != .finished {
      steps += 1
      if steps > 2_000 {
        Issue.record("no end: \(what)")
        return nil
      }
    }
    return try sink.records()
  }

  @Test func anIntactFileIsTheMeasure() throws {
    let directory = try TemporaryDirectory()
    _ = try template(directory)
    let path = try #require(RingDirectory.files(in: directory.file("rings")).first)
    let records = try #require(try drain(path, "intact"))
    let account = StreamAccount(records)
    #expect(account.faults == [])
    #expect(account.records.count == 20)
  }

  @Test func damagedFilesAreRefusedOrDrained() throws {
    var random = SeededGenerator("ring files")
    let directory = try TemporaryDirectory()
    let intact = try template(directory)
    let path = directory.file("damaged.ring")
    // Where damage matters: the header, the labels, both rings' headers, and the records.
    let slot = Int(TR_RINGS_OFFSET)
    let regions = [0..<128, 0..<2408, slot..<slot + 1300, slot + 4096..<slot + 8192, slot + 8192..<slot + 9500]
    var refused = 0
    var drained = 0
    for number in 0..<files {
      var bytes = intact
      let region = regions[number % regions.count]
      for _ in 0...random.next() % 6 {
        let at = region.lowerBound + Int(random.next() % UInt64(region.count))
        if random.next() % 2 == 0 {
          bytes[at] = UInt8(truncatingIfNeeded: random.next())
        } else {
          let values: [UInt64] = [0, .max, .max - 7, 1 << 63, 8, 4096, random.next()]
          let value = values[Int(random.next() % UInt64(values.count))]
          unsafe withUnsafeBytes(of: value.littleEndian) {
            unsafe bytes.replaceSubrange((at & ~7)..<(at & ~7) + 8, with: $0)
          }
        }
      }
      // A damaged journal must not lead anywhere: the paths in it are of files of this test, or of none.
      if random.next() % 8 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      if try drain(path, "seed \(random.seed), file \(number)") == nil { refused += 1 } else { drained += 1 }
    }
    #expect(refused > files / 50 && drained > files / 10, "both have to happen: \(refused), \(drained)")
  }

  @Test func noiseIsRefused() throws {
    var random = SeededGenerator("noise")
    let directory = try TemporaryDirectory()
    for size in [0, 1, 100, 4096, 65_535, 65_536, 200_000] {
      let path = directory.file("noise.ring")
      try Data(random.bytes(size)).write(to: URL(fileURLWithPath: path))
      #expect(throws: RingAttachment.Refusal.self) { try RingCollector(path: path) { _ in [] } }
    }
    #expect(throws: RingAttachment.Refusal.self) { try RingCollector(path: directory.path) { _ in [] } }
    #expect(throws: RingAttachment.Refusal.self) { try RingCollector(path: directory.file("none")) { _ in [] } }
    try FileManager.default.createSymbolicLink(
      atPath: directory.file("link.ring"), withDestinationPath: directory.file("noise.ring"))
    #expect(throws: RingAttachment.Refusal.self) { try RingCollector(path: directory.file("link.ring")) { _ in [] } }
    unsafe mkfifo(directory.file("pipe.ring"), 0o600)
    #expect(throws: RingAttachment.Refusal.self) { try RingCollector(path: directory.file("pipe.ring")) { _ in [] } }
  }

  /// The file's owner cuts it while a collector reads it: an error or an end, and no death by SIGBUS.
  @Test func aFileThatIsCutWhileItIsReadKillsNobody() throws {
    for size in [0, 100, 4096, 65_536, 66_000, 69_632, 70_000, 73_728] {
      let directory = try TemporaryDirectory()
      let fixture = try RingFixture(directory, rings: 2)
      for number in 0..<20 { fixture.commit(EncodedRecord({ "record \(number, "number")" }), ring: number % 2) }
      let collector = try RingCollector(path: fixture.path) { _ in [MemorySink()] }
      #expect(collector.step() == .delivered)
      #expect(unsafe truncate(fixture.path, off_t(size)) == 0)
      fixture.die()
      for _ in 0..<100 where collector.step() == .finished { break }
      let other = try? RingAttachment(path: fixture.path, consumes: false)
      _ = other?.readHeader()
      _ = other?.isSealed
      _ = other?.readRing(0)
    }
  }

  /// A producer that is alive and changes everything while it is read.
  @Test func aHostileProducerDoesNotStopTheCollector() throws {
    var random = SeededGenerator("hostile")
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory, rings: 2)
    let sink = MemorySink()
    let collector = try RingCollector(path: fixture.path) { _ in [sink] }
    for round in 0..<2_000 {
      let ring = unsafe fixture.ring(round % 2)
      let start = unsafe tr_start(ring)
      let noise = random.bytes(64)
      for index in 0..<64 { unsafe start[index] = noise[index] }
      switch random.next() % 5 {
      case 0: unsafe tr_store64(ring, random.next())
      case 1: unsafe tr_store64(ring, unsafe tr_load64(&ring.pointee.tail) &+ 64)
      case 2: unsafe tr_store64(&ring.pointee.tail, random.next())
      case 3: unsafe tr_store64(&ring.pointee.consumed, .max)
      default: unsafe tr_store64(tr_ring_dropped(ring) + Int(random.next() % 32), random.next())
      }
      _ = collector.step()
    }
    fixture.die()
    var step = collector.step()
    for _ in 0..<100 where step != .finished { step = collector.step() }
    #expect(step == .finished, "seed \(random.seed)")
    #expect(throws: Never.self, "seed \(random.seed)") { try sink.records() }
  }
}
