import CTreeRing
import TestSupport

@testable import TreeRing

/// A record as a call writes it, in memory of its own instead of a ring.
struct EncodedRecord {
  /// The record, padded to a multiple of 8.
  var bytes: [UInt8]

  /// Encodes what `log.info(text) { fields }` would, into at most `room` bytes.
  init(
    level: Level = .info, flags: UInt8 = 0, ticks: UInt64 = 1, sequence: UInt64 = 0, room: Int = RecordLayout.largestRecord,
    _ text: () -> LogText, fields: (inout LogFields) -> Void = { _ in }
  ) {
    let thread = unsafe tr_thread()
    var flags = flags
    var size = 0
    bytes = unsafe [UInt8](unsafeUninitializedCapacity: room + 8) { buffer, count in
      unsafe buffer.initialize(repeating: 0)
      guard let start = buffer.baseAddress else { return }
      unsafe thread.pointee.cursor = start + RecordLayout.headerSize
      unsafe thread.pointee.limit = start + room
      unsafe thread.pointee.slots = tr_site_slots(tr_site_at(TR_SITE_NONE))
      var collected = LogFields(text().writer)
      fields(&collected)
      let writer = collected.writer
      if writer.isFull { flags |= RecordFlags.truncated }
      size = unsafe writer.cursor - start
      count = (size + 7) & ~7
    }
    let header = TRRecord(
      size: UInt16(size), site: 0, level: level.rawValue, flags: flags, label: 0, ticks: ticks, sequence: sequence)
    unsafe withUnsafeBytes(of: header) { unsafe bytes.replaceSubrange(0..<RecordLayout.headerSize, with: $0) }
  }

  /// Any bytes.
  init(bytes: [UInt8]) { self.bytes = bytes }

  /// What a formatter makes of it; nil when it is no record.
  func formatted(by formatter: any Formatter, label: String? = "test", time: UInt64 = 0) -> [UInt8]? {
    let output = OutputBuffer()
    var label = label
    return unsafe bytes.withUnsafeBytes { bytes in
      guard let view = unsafe RecordView(bytes) else { return nil }
      func append(_ name: UnsafeRawBufferPointer?) {
        unsafe formatter.append(view, RecordContext(time: time, pid: 1, ring: "r.0", label: name), to: output)
      }
      if label == nil { append(nil) } else { label?.withUTF8 { unsafe append(UnsafeRawBufferPointer($0)) } }
      return unsafe Array(output.bytes)
    }
  }

  func json(label: String? = "test", time: UInt64 = 0) throws -> JSONRecord {
    let bytes = formatted(by: JSONFormatter(), label: label, time: time) ?? []
    guard let line = String(validating: bytes, as: UTF8.self) else {
      throw JSONRecord.UnreadableLine(line: "invalid UTF-8: \(bytes)")
    }
    return try JSONRecord(line: line.dropLast())
  }

  func console(colours: Bool = false, label: String? = "test", time: UInt64 = 0) -> String {
    let bytes = formatted(by: ConsoleFormatter(colours: colours), label: label, time: time) ?? []
    return String(decoding: bytes, as: UTF8.self)
  }
}
