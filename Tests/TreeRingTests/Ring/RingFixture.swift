import CTreeRing
import Glibc
import TestSupport

@testable import TreeRing

/// A ring file with a producer of its own in this process, beside the one of `LogSystem`, of which there can be only one.
@safe
final class RingFixture: @unchecked Sendable {  // what threads share is atomic words of shared memory
  let path: String
  private let file: RingFile
  private let ringSize: Int
  private let producer: UnsafeMutablePointer<TRProducer>
  private var rings: [UnsafeMutablePointer<TRRing>] = unsafe []

  /// - Parameter ringSize: bytes, a power of two; a page is the least.
  init(_ directory: TemporaryDirectory, rings count: Int = 1, ringSize: Int = 4096, mode: UInt32 = 1) throws {
    self.ringSize = ringSize
    file = try RingFile.make(
      directory: directory.file("rings"), program: "fixture", ringSize: ringSize, mode: mode, consumes: false)
    path = file.path ?? ""
    let memory = unsafe UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<TRProducer>.size, alignment: MemoryLayout<TRProducer>.alignment)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<TRProducer>.size)
    unsafe producer = memory.bindMemory(to: TRProducer.self, capacity: 1)
    unsafe producer.pointee.header = file.header
    unsafe producer.pointee.fd = file.descriptor
    for _ in 0..<count {
      if let ring = unsafe RingSlots.acquire(producer, depth: 0) { unsafe rings.append(ring) }
    }
    precondition(unsafe rings.count == count, "no memory for rings")
  }

  deinit {
    for index in unsafe rings.indices { unsafe munmap(rings[index], 4096 + 2 * ringSize) }
    unsafe munmap(file.header, Int(TR_RINGS_OFFSET))
    die()
    unsafe producer.deallocate()
  }

  private var isDead = false

  /// Lets go of the file, as a process that ends.
  func die() {
    if isDead { return }
    isDead = true
    // By name: the mappings hold the open file, and with it the lock.
    _ = tr_unlock_byte(file.descriptor, RingFile.producerByte)
    close(file.descriptor)
  }

  /// How many rings it has.
  var count: Int { unsafe rings.count }

  /// Promises to commit nothing more, as a process that closes its stream.
  func seal() { unsafe tr_store32(tr_header_sealed(file.header), 1) }

  func ring(_ index: Int) -> UnsafeMutablePointer<TRRing> { unsafe rings[index] }
  var header: UnsafeMutablePointer<TRProcessHeader> { unsafe file.header }

  /// Gives a committed record of the first ring another time, which only somebody hostile could.
  func tick(record number: Int, _ ticks: UInt64) {
    let ring = unsafe rings[0]
    var start = unsafe UnsafeMutableRawPointer(bitPattern: UInt(ring.pointee.data))
    for _ in 0..<number { unsafe start = start.map { unsafe $0 + (Int($0.load(as: UInt32.self)) + 7) & ~7 } }
    unsafe start?.storeBytes(of: ticks, toByteOffset: 8, as: UInt64.self)
  }

  /// Makes the size of a record of the first ring one that no record has.
  func damage(record number: Int) {
    let ring = unsafe rings[0]
    var start = unsafe UnsafeMutableRawPointer(bitPattern: UInt(ring.pointee.data))
    for _ in 0..<number { unsafe start = start.map { unsafe $0 + (Int($0.load(as: UInt16.self)) + 7) & ~7 } }
    unsafe start?.storeBytes(of: 1, as: UInt16.self)
  }

  /// Commits a record as a call that is held up between taking its time and moving its ring's head: `meanwhile` runs there.
  func hold(_ record: EncodedRecord, ring index: Int = 0, _ meanwhile: () -> Void) {
    let ring = unsafe rings[index]
    let before = unsafe ring.pointee.head
    commit(record, ring: index)
    let after = unsafe ring.pointee.head
    unsafe tr_store64(&ring.pointee.head, before)
    meanwhile()
    unsafe tr_store64(&ring.pointee.head, after)
  }

  /// Commits a record, or returns false when there is no room.
  @discardableResult
  func commit(_ record: EncodedRecord, ring index: Int = 0) -> Bool {
    let ring = unsafe rings[index]
    let used = unsafe ring.pointee.head - tr_load64(&ring.pointee.tail)
    guard unsafe Int(used) + record.bytes.count <= Int(ring.pointee.mask + 1) else { return false }
    let start = unsafe tr_start(ring)
    unsafe record.bytes.withUnsafeBufferPointer { bytes in
      if let from = bytes.baseAddress { unsafe start.update(from: from, count: bytes.count) }
    }
    let size = unsafe Int(TRRecord(at: start).size)
    unsafe _ = tr_commit(ring, start, start + size, 0, record.bytes[4], record.bytes[5], 0)
    return true
  }
}

/// Keeps what is written, as lines.
final class MemorySink: Sink, @unchecked Sendable {  // one thread at a time
  let format = LogFormat.json
  let colours = false
  let level = Level.trace
  private(set) var bytes: [UInt8] = []
  /// Thrown by the next writes.
  var failure: Errno?

  func intent(length: Int) -> SinkIntent { .stream }
  func write(_ batch: UnsafeRawBufferPointer) throws(Errno) {
    if let failure { throw failure }
    unsafe bytes.append(contentsOf: batch)
  }
  func synchronise() {}

  func records() throws -> [JSONRecord] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw JSONRecord.UnreadableLine(line: "invalid UTF-8")
    }
    return try text.split(separator: "\n").map { try JSONRecord(line: $0) }
  }
}
