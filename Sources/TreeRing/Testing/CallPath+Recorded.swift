import CTreeRing
import Glibc

/// How a call comes to a ``LogRecorder``.
///
/// The call has passed its gate and asks for its label's id, the slow way, because no gate of a recorded call ever settles. There `divert` puts a ring of the recorder's
/// into the place of the thread's own: memory for one record, with `TR_ATTENTION_DIVERTED` set. The call takes it, writes and commits as ever, sees that its ring
/// wants attention, and `finishDiverted` takes the record out and puts the thread's own ring back. Between `divert` and the taking of the ring no code of the user runs.
extension CallPath {
  /// Who gets the record, and what is put back. Lies behind the ring's header.
  @unsafe
  private struct Diverted {
    let recorder: Unmanaged<LogRecorder>
    let thread: InterruptedCall
  }

  private static let headerSize = MemoryLayout<TRRing>.stride
  private static let recordsOffset = unsafe (headerSize + MemoryLayout<Diverted>.stride + 63) & ~63

  /// Makes the call that is about to take its thread's ring write for `recorder`.
  static func divert(to recorder: LogRecorder) {
    let thread = unsafe tr_thread()
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: recordsOffset + RecordLayout.largestRecord, alignment: 64)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: recordsOffset)
    let ring = unsafe memory.bindMemory(to: TRRing.self, capacity: 1)
    unsafe ring.pointee.data = UInt64(UInt(bitPattern: memory + recordsOffset))
    unsafe ring.pointee.mask = .max
    unsafe ring.pointee.max_record = UInt64(RecordLayout.largestRecord)
    unsafe ring.pointee.calls = tr_how_calls_go()
    unsafe ring.pointee.attention = TR_ATTENTION_DIVERTED
    unsafe (memory + headerSize).initializeMemory(
      as: Diverted.self,
      to: Diverted(recorder: .passRetained(recorder), thread: InterruptedCall(of: thread)))
    unsafe thread.pointee.ready = ring
  }

  /// The end of a diverted call.
  static func finishDiverted(
    _ thread: UnsafeMutablePointer<TRThread>, _ ring: UnsafeMutablePointer<TRRing>, _ start: UnsafeMutablePointer<UInt8>
  ) {
    let memory = UnsafeMutableRawPointer(ring)
    let saved = unsafe (memory + headerSize).load(as: Diverted.self)
    unsafe saved.thread.restore(to: thread)
    let recorder = unsafe saved.recorder.takeRetainedValue()
    let size = unsafe Int(ring.pointee.head)
    if var record = unsafe RecordView(UnsafeRawBufferPointer(start: start, count: size)) {
      let template = unsafe SiteTable.template(record.site)
      if let template { unsafe record.complete(with: template) }
      defer { withExtendedLifetime(template) {} }
      let context = unsafe RecordContext(time: Syscalls.now(CLOCK_REALTIME), pid: 0, ring: "", label: nil)
      unsafe recorder.append(RecordedLog(record, context))
    }
    unsafe memory.deallocate()
  }
}

/// Whose records a logger's are, when they are not the process's.
struct Recording: Sendable {
  let recorder: LogRecorder
  let name: RecordingName
}

/// The label of a recorder's logger, at an address of its own, so that the logger shares no gate with one of the process.
@safe
final class RecordingName: Sendable {
  let key: LogKey

  init(_ label: String) {
    let bytes = Array(label.utf8)
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
    unsafe bytes.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { unsafe copy.update(from: start, count: source.count) }
    }
    key = unsafe LogKey(unsafeStart: copy, count: bytes.count)
  }

  deinit { unsafe UnsafeMutablePointer(mutating: key.start).deallocate() }
}
