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
    unsafe tr_store32(&ring.pointee.thread, UInt32(bitPattern: tr_gettid()))
    unsafe tr_store32(&ring.pointee.depth, UInt32(depth))
    if depth > 0 {
      unsafe _ = tr_or32(&ring.pointee.attention, TR_ATTENTION_NESTED)
    } else {
      unsafe _ = tr_and32(&ring.pointee.attention, ~TR_ATTENTION_NESTED)
    }
    // Behind a full barrier, and the ring is published: either this sees a change, or whoever makes it sees the ring.
    unsafe _ = tr_or32(&ring.pointee.calls, tr_how_calls_go())
    return unsafe ring
  }

  /// Tells every ring how the calls of this process go now. One that is being made finds out by itself.
  static func tellHowCallsGo() {
    guard let producer = unsafe tr_producer() else { return }
    let count = unsafe min(tr_load32(&producer.pointee.header.pointee.ring_count), TR_MAX_RINGS)
    for index in 0..<Int(count) {
      guard let ring = unsafe published(producer, index) else { continue }
      unsafe _ = tr_or32(&ring.pointee.calls, tr_how_calls_go())
    }
  }

  /// A ring whose thread has ended. It goes on with its number and its sequence: to the consumer it is the same ring. The acquire of `owner`
  /// makes the old thread's last writes visible to the new one.
  private static func reuse(
    _ producer: UnsafeMutablePointer<TRProducer>, _ header: UnsafeMutablePointer<TRProcessHeader>
  ) -> UnsafeMutablePointer<TRRing>? {
    let count = unsafe min(tr_load32(&header.pointee.ring_count), TR_MAX_RINGS)
    for index in 0..<Int(count) {
      guard let ring = unsafe published(producer, index) else { continue }
      if unsafe tr_exchange_if32(&ring.pointee.owner, TR_OWNER_FREE, TR_OWNER_THREAD) { return unsafe ring }
    }
    return nil
  }

  /// The ring at `index`, once it is made. Other threads make rings meanwhile, and the address says that what it leads to is complete.
  static func published(_ producer: UnsafeMutablePointer<TRProducer>, _ index: Int) -> UnsafeMutablePointer<TRRing>? {
    unsafe UnsafeMutablePointer(bitPattern: UInt(tr_load64(tr_producer_rings(producer) + index)))
  }

  /// Claims a slot, allocates its pages (a full disk is an error here and no SIGBUS later) and maps it. A slot that cannot be had is given back.
  private static func make(
    _ producer: UnsafeMutablePointer<TRProducer>, _ header: UnsafeMutablePointer<TRProcessHeader>
  ) -> UnsafeMutablePointer<TRRing>? {
    guard let index = unsafe claim(producer, header) else { return nil }
    let offset = unsafe UInt64(TR_RINGS_OFFSET) + UInt64(index) * header.pointee.slot_size
    let ringHeader = unsafe Int(header.pointee.ring_header_size)
    let capacity = unsafe Int(header.pointee.ring_capacity)
    let file = unsafe tr_use_file(producer)
    defer { unsafe tr_leave_file(producer) }
    // Of a closed file it is memory that no file has; the record moves on from there, as it does from any sealed ring.
    guard let base = unsafe map(file, offset: Int(offset), ringHeader: ringHeader, capacity: capacity) else {
      unsafe giveBack(index, producer, header)
      return nil
    }
    let ring = unsafe base.bindMemory(to: TRRing.self, capacity: 1)
    unsafe ring.pointee.data = UInt64(UInt(bitPattern: base + ringHeader))
    let largest = min(capacity / 8, RecordLayout.largestRecord)
    unsafe ring.pointee.max_record = UInt64(largest)
    unsafe ring.pointee.limit = UInt64(capacity - capacity / 4 - largest)
    unsafe ring.pointee.index = index
    unsafe ring.pointee.owner = TR_OWNER_THREAD
    // A consumer that sleeps does not know of this ring: its first commit wakes it.
    unsafe ring.pointee.attention = TR_ATTENTION_PARKED
    unsafe tr_store64(tr_producer_rings(producer) + Int(index), UInt64(UInt(bitPattern: ring)))
    unsafe tr_store64(&ring.pointee.mask, UInt64(capacity - 1))
    // The file may have been sealed meanwhile, by a closer that could not see this ring yet. The claim of the slot, above, and the closer's
    // barrier leave no other order: either it saw the slot, or this sees the seal.
    if unsafe tr_load32(tr_header_sealed(header)) != 0 {
      unsafe _ = tr_exchange_if64(&ring.pointee.sealed_head, 0, 1)
      unsafe _ = tr_or32(&ring.pointee.attention, TR_ATTENTION_SEALED)
    }
    return unsafe ring
  }

  /// A slot that somebody gave back, or the next one.
  private static func claim(
    _ producer: UnsafeMutablePointer<TRProducer>, _ header: UnsafeMutablePointer<TRProcessHeader>
  ) -> UInt32? {
    let vacant = unsafe tr_producer_vacant(producer)
    for word in 0..<Int(TR_MAX_RINGS / 64) {
      let bits = unsafe tr_load64(vacant + word)
      let bit = bits & (0 &- bits)
      if bits != 0, unsafe tr_exchange_if64(vacant + word, bits, bits ^ bit) {
        return UInt32(word * 64 + bit.trailingZeroBitCount)
      }
    }
    while true {
      let index = unsafe tr_load32(&header.pointee.ring_count)
      if index >= TR_MAX_RINGS { return nil }
      if unsafe tr_exchange_if32(&header.pointee.ring_count, index, index + 1) { return index }
    }
  }

  /// Forgets the slot when it is still the last, and remembers it for the next thread otherwise: while shared memory is full every call of a thread without
  /// a ring comes here, and would use up all slots.
  private static func giveBack(
    _ index: UInt32, _ producer: UnsafeMutablePointer<TRProducer>, _ header: UnsafeMutablePointer<TRProcessHeader>
  ) {
    if unsafe tr_exchange_if32(&header.pointee.ring_count, index + 1, index) { return }
    let word = unsafe tr_producer_vacant(producer) + Int(index / 64)
    while case let bits = unsafe tr_load64(word), unsafe !tr_exchange_if64(word, bits, bits | 1 << UInt64(index % 64)) {
    }
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
