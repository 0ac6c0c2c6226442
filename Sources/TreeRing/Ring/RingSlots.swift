import CTreeRing
import Glibc

/// Makes rings in the process's ring file, and hands those of ended threads on. Lock-free and without allocation: threads and signal
/// handlers come here on their first call.
enum RingSlots {
  /// A ring that the calling thread owns from now on, or nil when the limit of rings or of memory is reached.
  static func acquire(_ producer: UnsafeMutablePointer<TRProducer>, depth: Int) -> UnsafeMutablePointer<TRRing>? {
    let header = unsafe producer.pointee.header
    let ring = unsafe reuse(producer, header) ?? make(producer, header)
    guard let ring = unsafe ring else { return nil }
    unsafe ring.pointee.thread = UInt32(bitPattern: tr_gettid())
    unsafe ring.pointee.depth = UInt32(depth)
    if depth > 0 {
      unsafe _ = tr_or32(&ring.pointee.attention, TR_ATTENTION_NESTED)
    } else {
      unsafe _ = tr_and32(&ring.pointee.attention, ~TR_ATTENTION_NESTED)
    }
    return unsafe ring
  }

  /// A ring whose thread has ended. It goes on with its number and its sequence: to the consumer it is the same ring. The acquire of `owner`
  /// makes the old thread's last writes visible to the new one.
  private static func reuse(
    _ producer: UnsafeMutablePointer<TRProducer>, _ header: UnsafeMutablePointer<TRProcessHeader>
  ) -> UnsafeMutablePointer<TRRing>? {
    let count = unsafe min(tr_load32(&header.pointee.ring_count), TR_MAX_RINGS)
    for index in 0..<Int(count) {
      guard let ring = unsafe tr_producer_rings(producer)[index] else { continue }
      if unsafe tr_exchange_if32(&ring.pointee.owner, TR_OWNER_FREE, TR_OWNER_THREAD) { return unsafe ring }
    }
    return nil
  }

  /// Claims the next slot, allocates its pages (a full disk is an error here and no SIGBUS later) and maps it. A slot that cannot be had
  /// stays as an empty ring, or is given back when it is still the last.
  private static func make(
    _ producer: UnsafeMutablePointer<TRProducer>, _ header: UnsafeMutablePointer<TRProcessHeader>
  ) -> UnsafeMutablePointer<TRRing>? {
    var index: UInt32
    repeat {
      index = unsafe tr_load32(&header.pointee.ring_count)
      if index >= TR_MAX_RINGS { return nil }
    } while unsafe !tr_exchange_if32(&header.pointee.ring_count, index, index + 1)
    let offset = unsafe UInt64(TR_RINGS_OFFSET) + UInt64(index) * header.pointee.slot_size
    let ringHeader = unsafe Int(header.pointee.ring_header_size)
    let capacity = unsafe Int(header.pointee.ring_capacity)
    guard
      let base = unsafe map(
        producer.pointee.fd, offset: Int(offset), ringHeader: ringHeader, capacity: capacity)
    else {
      unsafe _ = tr_exchange_if32(&header.pointee.ring_count, index + 1, index)
      return nil
    }
    let ring = unsafe base.bindMemory(to: TRRing.self, capacity: 1)
    unsafe ring.pointee.data = UInt64(UInt(bitPattern: base + ringHeader))
    unsafe ring.pointee.max_record = UInt64(min(capacity / 8, RecordLayout.largestRecord))
    unsafe ring.pointee.limit = UInt64(capacity - capacity / 8)
    unsafe ring.pointee.index = index
    unsafe ring.pointee.owner = TR_OWNER_THREAD
    // A consumer that sleeps does not know of this ring: its first commit wakes it.
    unsafe ring.pointee.attention = TR_ATTENTION_PARKED
    unsafe tr_producer_rings(producer)[Int(index)] = ring
    unsafe tr_store64(&ring.pointee.mask, UInt64(capacity - 1))
    // The file may have been sealed meanwhile, by a closer that could not see this ring yet. The claim of the slot, above, and the closer's
    // barrier leave no other order: either it saw the slot, or this sees the seal.
    if unsafe tr_load32(tr_header_sealed(header)) != 0 {
      unsafe _ = tr_exchange_if64(&ring.pointee.sealed_head, 0, 1)
      unsafe _ = tr_or32(&ring.pointee.attention, TR_ATTENTION_SEALED)
    }
    return unsafe ring
  }

  /// A ring up to this size gets its page tables filled when it is made: the first call on a thread is slow anyway, and no later one then pays a page fault.
  private static let largestPopulated = 1_048_576

  /// Maps a slot: the ring's header and records, and the records once more behind them.
  private static func map(_ file: Int32, offset: Int, ringHeader: Int, capacity: Int) -> UnsafeMutableRawPointer? {
    let slot = ringHeader + capacity
    if file >= 0, tr_fallocate(file, Int64(offset), Int64(slot)) != 0 { return nil }
    let access = PROT_READ | PROT_WRITE
    let flags = MAP_SHARED | MAP_FIXED | (capacity <= largestPopulated ? MAP_POPULATE : 0)
    guard file >= 0 else { return unsafe mapAnonymous(ringHeader: ringHeader, capacity: capacity) }
    guard let base = unsafe mapped(mmap(nil, slot + capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) else {
      return nil
    }
    let first = unsafe mapped(mmap(base, slot, access, flags, file, offset))
    let second = unsafe mapped(
      mmap(base + slot, capacity, access, flags, file, offset + ringHeader))
    if unsafe first == nil || second == nil {
      unsafe munmap(base, slot + capacity)
      return nil
    }
    return unsafe base
  }

  /// Without a file: shared anonymous memory, whose pages can be mapped a second time with `mremap` of size 0.
  private static func mapAnonymous(ringHeader: Int, capacity: Int) -> UnsafeMutableRawPointer? {
    let slot = ringHeader + capacity
    guard
      let base = unsafe mapped(
        mmap(nil, slot + capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
    else { return nil }
    guard unsafe tr_alias(base + ringHeader, base + slot, capacity) else {
      unsafe munmap(base, slot + capacity)
      return nil
    }
    return unsafe base
  }

  private static func mapped(_ address: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    unsafe address == MAP_FAILED ? nil : address
  }
}
