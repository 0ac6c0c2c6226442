import CTreeRing
import Glibc

/// The last lines that were kept, in a fixed number of slots of memory: of a task, or of the process in its black box, where they outlive it.
///
/// Any thread appends, without a lock, and a signal handler may. A line's number is taken first and stored last, so a reader knows a slot that is being
/// written, or was left half written. Two lines that are written at the same moment and as far apart as there are slots spoil each other's: one is lost.
@unsafe
struct FlightSlots {
  let memory: UnsafeMutableRawPointer
  /// Lines ever written.
  let counter: UnsafeMutablePointer<UInt64>
  let count: Int

  private static let header = MemoryLayout<TRFlightLine>.size

  /// Keeps a record, at most `TR_FLIGHT_RECORD` bytes and the slack of it, and what its call site's template knows.
  func append(_ record: UnsafeRawBufferPointer, time: UInt64, thread: UInt32) {
    guard let source = record.baseAddress, record.count >= RecordLayout.headerSize else { return }
    let number = unsafe tr_add64(counter, 1) + 1
    let slot = unsafe memory + Int((number - 1) % UInt64(count)) * Int(TR_FLIGHT_SLOT)
    let line = unsafe slot.assumingMemoryBound(to: TRFlightLine.self)
    unsafe tr_store64(slot, 0)
    let room = unsafe Int(TR_FLIGHT_SLOT) - Self.header
    let site = unsafe source.loadUnaligned(as: TRRecord.self).site
    // The template first, at the end: without it the record has no text; a record that is cut has its beginning.
    let entry = unsafe SiteTable.copyEntry(site, to: slot + Self.header, room: room - RecordLayout.headerSize - 64)
    let size = min(record.count, room - entry)
    unsafe (slot + Self.header + entry).copyMemory(from: source, byteCount: size)
    unsafe line.pointee.time = time
    unsafe line.pointee.thread = thread
    unsafe line.pointee.record = UInt16(size)
    unsafe line.pointee.site = UInt16(entry)
    unsafe tr_store64(slot, number)
  }
}

/// One line that was kept, copied out of its slot. The bytes may be anything.
struct FlightLine {
  let number: UInt64
  let time: UInt64
  let thread: UInt32
  /// With its fixed part; its size says how much of it there is.
  let record: [UInt8]
  private let entry: [UInt8]

  /// The lines in `bytes`, which begin with a slot, oldest first.
  static func all(in bytes: ArraySlice<UInt8>) -> [FlightLine] {
    let slot = Int(TR_FLIGHT_SLOT)
    let count = bytes.count / slot
    return (0..<count).compactMap { index -> FlightLine? in
      let start = bytes.startIndex + index * slot
      guard let line = FlightLine(slot: Array(bytes[start..<start + slot])) else { return nil }
      return Int((line.number - 1) % UInt64(count)) == index ? line : nil
    }.sorted { $0.number < $1.number }
  }

  private init?(slot: [UInt8]) {
    let header = MemoryLayout<TRFlightLine>.size
    number = slot.word64(0)
    time = slot.word64(8)
    thread = slot.word32(16)
    let (size, entrySize) = (Int(slot.word16(20)), Int(slot.word16(22)))
    guard number > 0, size >= RecordLayout.headerSize, header + size + entrySize <= slot.count else { return nil }
    entry = Array(slot[header..<header + entrySize])
    var record = Array(slot[(header + entrySize)...].prefix(size))
    if Int(record.word16(0)) > size {
      // Cut to fit into its slot.
      record[0] = UInt8(truncatingIfNeeded: size)
      record[1] = UInt8(truncatingIfNeeded: size >> 8)
      record[5] |= RecordFlags.truncated
    }
    // A view goes in steps of 8.
    self.record = record + [UInt8](repeating: 0, count: -size & 7)
  }

  /// Hands the line to `body` as a formatter needs it; does nothing when it makes no sense.
  func withRecord(_ body: (RecordView, RecordContext) -> Void) {
    let template = entry.isEmpty ? nil : RecordTemplate(entry: entry)
    unsafe record.withUnsafeBytes { bytes in
      guard var view = unsafe RecordView(bytes) else { return }
      if let template {
        unsafe view.complete(with: template)
      } else if unsafe view.site > 0 {
        unsafe view.isTruncated = true
      }
      unsafe body(view, RecordContext(time: time, pid: 0, ring: "", label: nil))
    }
    withExtendedLifetime(template) {}
  }
}
