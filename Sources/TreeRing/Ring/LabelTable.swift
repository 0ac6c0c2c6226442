import CTreeRing

/// The labels of a process, in its ring file: a record carries a 16-bit id, and any reader finds the text here.
///
/// | bytes | |
/// |---|---|
/// | 2 | length, stored last: 0 means that the entry is still being written |
/// | … | label, UTF-8, then padding to 8 |
///
/// An id is the entry's offset / 8 + 1, so 48 KiB make at most 6,144 labels. Appending is lock-free: a signal handler may do it.
enum LabelTable {
  /// The id of `label`, appended when it is new; 0 when there is no room for it.
  static func id(of label: LogKey, in header: UnsafeMutablePointer<TRProcessHeader>) -> UInt16 {
    guard label.count > 0, label.count < 1024 else { return 0 }
    if let known = unsafe find(label, in: header) { return known }
    let size = UInt32((2 + label.count + 7) & ~7)
    var offset: UInt32
    repeat {
      offset = unsafe tr_load32(&header.pointee.labels_end)
      if offset + size > TR_LABELS_SIZE { return 0 }
    } while unsafe !tr_exchange_if32(&header.pointee.labels_end, offset, offset + size)
    let entry = unsafe UnsafeMutableRawPointer(header) + Int(TR_LABELS_OFFSET) + Int(offset)
    unsafe (entry + 2).copyMemory(from: label.start, byteCount: label.count)
    unsafe tr_store16(entry, UInt16(label.count))
    return UInt16(offset / 8 + 1)
  }

  private static func find(_ label: LogKey, in header: UnsafeMutablePointer<TRProcessHeader>) -> UInt16? {
    let table = unsafe UnsafeRawBufferPointer(
      start: UnsafeRawPointer(header) + Int(TR_LABELS_OFFSET), count: Int(TR_LABELS_SIZE))
    let end = unsafe min(Int(tr_load32(&header.pointee.labels_end)), table.count)
    var offset = 0
    while offset < end, let entry = unsafe text(at: offset, in: table) {
      // A label that another thread is writing right now may be ours; a second entry for it does no harm.
      if unsafe entry.isEmpty { return nil }
      if entry.count == label.count, unsafe label.start.matches(entry) { return UInt16(offset / 8 + 1) }
      offset += (2 + entry.count + 7) & ~7
    }
    return nil
  }

  /// The label with `id`, or nil: any bytes, any id.
  static func text(_ id: UInt16, in table: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard id > 0, let entry = unsafe text(at: (Int(id) - 1) * 8, in: table), entry.count > 0 else { return nil }
    return unsafe entry
  }

  private static func text(at offset: Int, in table: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard offset + 2 <= table.count, let start = table.baseAddress else { return nil }
    // Entries begin at multiples of 8 of a table that does, too.
    let count = unsafe Int(tr_load16(start + offset))
    guard offset + 2 + count <= table.count else { return nil }
    return unsafe UnsafeRawBufferPointer(rebasing: table[(offset + 2)..<(offset + 2 + count)])
  }
}

extension UnsafePointer<UInt8> {
  /// Whether the bytes from here are those of `other`.
  func matches(_ other: UnsafeRawBufferPointer) -> Bool {
    for index in 0..<other.count where unsafe self[index] != other[index] { return false }
    return true
  }
}
