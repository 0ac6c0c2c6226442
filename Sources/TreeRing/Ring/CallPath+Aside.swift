import CTreeRing
import Glibc

/// How the line of a debug channel that is off gets aside (``Aside``), at a cost that a server can bear: no allocation, no lock, and no system call after a
/// thread's first one, so that a signal handler may say such a line, too.
///
/// The call has passed its gate and asks for its label, the slow way, because a gate whose lines go aside has none. There `divertAside` hides the thread's own
/// ring and leaves one of another kind pending: a page of the thread's, with room for one record and `TR_ATTENTION_ASIDE` set. The call finds no ring, comes to
/// `takeSlowly`, takes the pending one, writes and commits as ever, sees that its ring wants attention, and `finishAside` copies the record to who wants it.
/// Between `divertAside` and the taking of the ring no code of the user runs. A signal handler that comes just then passes by, unless it says a debug record itself:
/// then the two change places.
extension CallPath {
  /// What is put back when the call ends. Lies behind the ring's header.
  @unsafe
  private struct AsideCall {
    let thread: InterruptedCall
    /// Of a call that a signal handler interrupted between `divertAside` and the taking of its ring.
    let pending: UnsafeMutablePointer<TRRing>?
  }

  private static let headerSize = MemoryLayout<TRRing>.stride
  private static let recordOffset = unsafe (headerSize + MemoryLayout<AsideCall>.stride + 63) & ~63

  /// Makes the call that is about to take its thread's ring write aside. Without a ring for that, which `Aside.takes` has seen to, it goes its usual way.
  static func divertAside() {
    let thread = unsafe tr_thread()
    guard let ring = unsafe tr_flight_begin() else { return }
    let memory = UnsafeMutableRawPointer(ring)
    unsafe ring.pointee.head = 0
    unsafe ring.pointee.mask = .max
    unsafe ring.pointee.data = UInt64(UInt(bitPattern: memory + recordOffset))
    unsafe ring.pointee.max_record = UInt64(Int(TR_FLIGHT_RECORD) + RecordLayout.slack)
    unsafe ring.pointee.calls = tr_how_calls_go()
    unsafe ring.pointee.attention = TR_ATTENTION_ASIDE
    let flight = unsafe tr_flight_thread()
    unsafe (memory + headerSize).initializeMemory(
      as: AsideCall.self, to: AsideCall(thread: InterruptedCall(of: thread), pending: flight.pointee.pending))
    unsafe thread.pointee.ready = nil
    unsafe flight.pointee.pending = ring
  }

  /// The end of such a call.
  static func finishAside(
    _ thread: UnsafeMutablePointer<TRThread>, _ ring: UnsafeMutablePointer<TRRing>, _ start: UnsafeMutablePointer<UInt8>
  ) {
    let memory = UnsafeMutableRawPointer(ring)
    let call = unsafe (memory + headerSize).load(as: AsideCall.self)
    unsafe call.thread.restore(to: thread)
    let size = unsafe min(Int(TRRecord(at: start).size), Int(TR_FLIGHT_RECORD) + RecordLayout.slack)
    unsafe Aside.keep(UnsafeRawBufferPointer(start: start, count: size))
    tr_flight_end()
    unsafe tr_flight_thread().pointee.pending = call.pending
  }

  /// Writes a record that was kept aside into the stream, with the time at which it was made.
  static func write(kept record: UnsafeRawBufferPointer, time: UInt64) {
    let thread = unsafe tr_thread()
    guard let source = record.baseAddress, record.count >= RecordLayout.headerSize,
      let ring = unsafe take(thread, .debug)
    else { return }
    let head = unsafe source.loadUnaligned(as: TRRecord.self)
    let start = unsafe tr_start(ring)
    let limit = unsafe start + (Int(truncatingIfNeeded: ring.pointee.max_record) - RecordLayout.slack)
    unsafe UnsafeMutableRawPointer(start).copyMemory(from: source, byteCount: record.count)
    var fields = unsafe LogFields(RecordWriter(RecordPlace(cursor: start + record.count, limit: limit)))
    fields["recorded"] = LogTime(nanosecondsSince1970: Int64(clamping: time))
    let attention = unsafe tr_commit(
      ring, start, fields.writer.cursor, head.site, head.level, head.flags, head.label)
    if attention == 0 {
      unsafe tr_give_back(thread, ring)
    } else {
      unsafe finishAttended(thread, ring, start, attention)
    }
  }
}
