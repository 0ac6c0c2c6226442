package import CTreeRing
import Glibc

/// The rings of one process as a consumer sees them, from inside the process or from outside. One thread at a time.
///
/// `header` and `ring` are shared memory that others write: every field is copied by the `read` functions before it is believed, and stored by the `store` functions.
/// Where the file may be truncated by its owner, these survive it and report false or nil.
package protocol RingSource: AnyObject {
  /// The process header, mapped.
  var header: UnsafeMutablePointer<TRProcessHeader> { get }
  /// Bytes of each ring, a power of two, checked.
  var capacity: Int { get }
  /// A ring's header, mapped; nil for a slot that was never filled.
  func ring(_ index: Int) -> UnsafeMutablePointer<TRRing>?
  /// The label with `id`, as it is now; nil when there is none. Valid until the next call.
  func label(_ id: UInt16) -> UnsafeRawBufferPointer?
  /// What the records of a call site have in common; nil when there is no such site, or the bytes make no sense. Allocates: keep it.
  func template(_ id: UInt16) -> RecordTemplate?
  /// The user who owns the file: the sinks it names are believed only as far as that user's own files.
  var owner: UInt32 { get }
  /// Most bytes of a ring that are worth asking for at a time: where they are copied, all of a ring's would be copied for each batch.
  var longestStretch: Int { get }
  /// The bytes between two positions of a ring, which stay as they are until the tail passes them. Valid until the next call for the same ring.
  func records(_ index: Int, from tail: UInt64, to head: UInt64) -> UnsafeRawBufferPointer?
}

extension RingSource {
  var longestStretch: Int { .max }

  /// A copy of the process header's fixed part, or nil when the file is gone.
  func readHeader() -> TRProcessHeader? { unsafe read(header) }

  /// A copy of a ring's header, or nil.
  func readRing(_ index: Int) -> TRRing? {
    guard let ring = unsafe ring(index) else { return nil }
    return unsafe read(ring)
  }

  private func read<Structure>(_ address: UnsafeMutablePointer<Structure>) -> Structure? {
    let copy = UnsafeMutablePointer<Structure>.allocate(capacity: 1)
    defer { unsafe copy.deallocate() }
    guard unsafe tr_guarded_copy(copy, address, MemoryLayout<Structure>.size) else { return nil }
    return unsafe copy.pointee
  }

  /// How many rings there are, at most.
  var ringCount: Int {
    unsafe Int(min(load(header, \.ring_count) ?? 0, TR_MAX_RINGS))
  }

  /// Stores a field. False when the file is gone.
  @discardableResult
  func store<Structure>(
    _ structure: UnsafeMutablePointer<Structure>, _ path: KeyPath<Structure, UInt64>, _ value: UInt64
  ) -> Bool {
    guard let address = unsafe Self.address(structure, path) else { return false }
    return unsafe tr_guarded_store64(address, value)
  }

  /// Stores a field of 32 bits. False when the file is gone.
  @discardableResult
  func store<Structure>(
    _ structure: UnsafeMutablePointer<Structure>, _ path: KeyPath<Structure, UInt32>, _ value: UInt32
  ) -> Bool {
    guard let address = unsafe Self.address(structure, path) else { return false }
    return unsafe tr_guarded_store32(address, value)
  }

  /// A copy of one field, or nil.
  func load<Structure>(_ structure: UnsafeMutablePointer<Structure>, _ path: KeyPath<Structure, UInt32>) -> UInt32? {
    var value: UInt32 = 0
    guard let address = unsafe Self.address(structure, path), unsafe tr_guarded_copy(&value, address, 4) else {
      return nil
    }
    return value
  }

  static func address<Structure, Field>(
    _ structure: UnsafeMutablePointer<Structure>, _ path: KeyPath<Structure, Field>
  ) -> UnsafeMutableRawPointer? {
    guard let offset = MemoryLayout<Structure>.offset(of: path) else { return nil }
    return unsafe UnsafeMutableRawPointer(structure) + offset
  }
}

/// The rings of this very process.
@safe
final class LocalRings: RingSource {
  let header: UnsafeMutablePointer<TRProcessHeader>
  let capacity: Int
  private let producer: UnsafeMutablePointer<TRProducer>

  init(_ producer: UnsafeMutablePointer<TRProducer>) {
    unsafe header = producer.pointee.header
    capacity = unsafe Int(producer.pointee.header.pointee.ring_capacity)
    unsafe self.producer = producer
  }

  var owner: UInt32 { geteuid() }

  func label(_ id: UInt16) -> UnsafeRawBufferPointer? {
    unsafe LabelTable.text(
      id,
      in: UnsafeRawBufferPointer(
        start: UnsafeRawPointer(header) + Int(TR_LABELS_OFFSET), count: Int(TR_LABELS_SIZE)))
  }

  func template(_ id: UInt16) -> RecordTemplate? { SiteTable.template(id) }

  func ring(_ index: Int) -> UnsafeMutablePointer<TRRing>? {
    guard let ring = unsafe RingSlots.published(producer, index), unsafe tr_load64(&ring.pointee.mask) != 0 else {
      return nil
    }
    return unsafe ring
  }

  func records(_ index: Int, from tail: UInt64, to head: UInt64) -> UnsafeRawBufferPointer? {
    guard let ring = unsafe ring(index) else { return nil }
    let start = unsafe UnsafeRawPointer(bitPattern: UInt(ring.pointee.data + (tail & ring.pointee.mask)))
    return unsafe UnsafeRawBufferPointer(start: start, count: Int(head - tail))
  }
}
