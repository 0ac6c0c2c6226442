import CTreeRing

/// A record as its reader sees it: the fixed part, checked, and its segments, not looked at yet.
///
/// Every record of a batch goes through one, so it is six words, and the parts of the first are taken out where they are asked for.
@unsafe
package struct RecordView {
  /// The first 8 bytes of `TRRecord`: size, site, level, flags, label.
  private var head: UInt64
  package internal(set) var ticks: UInt64
  package let sequence: UInt64
  private let start: UnsafePointer<UInt8>
  /// What the call site's template knows; nil until `RecordTemplates` has found it.
  private(set) var facts: UnsafePointer<RecordTemplate.Facts>?

  /// Reads the record at the start of `bytes`; nil when there cannot be one: too short, a size out of range, an unknown level.
  /// The bytes may be anything. They must not change while the view is used.
  @inline(__always)
  package init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= RecordLayout.headerSize, let start = bytes.baseAddress else { return nil }
    let head = unsafe UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
    let size = Int(head & 0xFFFF)
    guard size >= RecordLayout.headerSize, (size &+ 7) & ~7 <= bytes.count, size <= RecordLayout.largestRecord,
      head >> 32 & 0xFF <= UInt64(Level.critical.rawValue)
    else { return nil }
    unsafe self.head = head
    unsafe ticks = UInt64(littleEndian: start.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    unsafe sequence = UInt64(littleEndian: start.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
    unsafe self.start = (start + RecordLayout.headerSize).assumingMemoryBound(to: UInt8.self)
  }

  @inline(__always)
  package var level: Level { unsafe Level(rawValue: UInt8(truncatingIfNeeded: head >> 32)) ?? .critical }
  package var isTruncated: Bool {
    @inline(__always) get { unsafe hasFlag(RecordFlags.truncated) }
    set {
      let bit = UInt64(RecordFlags.truncated) << 40
      unsafe head = newValue ? head | bit : head & ~bit
    }
  }
  @inline(__always)
  package var isChannel: Bool { unsafe hasFlag(RecordFlags.channel) }
  /// About another process than the one that logged it.
  @inline(__always)
  package var isAboutOther: Bool { unsafe hasFlag(RecordFlags.otherProcess) }
  /// None of these three.
  @inline(__always)
  var isUsual: Bool {
    unsafe !hasFlag(RecordFlags.truncated | RecordFlags.channel | RecordFlags.otherProcess)
  }
  /// Id in the label table; 0: the first segment carries the label.
  @inline(__always)
  package var label: UInt16 { unsafe UInt16(truncatingIfNeeded: head >> 48) }
  /// Id of the call site; 0: the record says everything itself.
  @inline(__always)
  package var site: UInt16 { unsafe UInt16(truncatingIfNeeded: head >> 16) }
  /// Bytes of the segments.
  @inline(__always)
  var count: Int { unsafe Int(head & 0xFFFF) &- RecordLayout.headerSize }
  /// Distance to the next record.
  @inline(__always)
  package var stride: Int { unsafe (Int(head & 0xFFFF) &+ 7) & ~7 }
  /// ``RecordTemplate/areNamesSettled``.
  var areNamesSettled: Bool { unsafe facts?.pointee.areNamesSettled ?? false }

  @inline(__always)
  private func hasFlag(_ flags: UInt8) -> Bool { unsafe head & UInt64(flags) << 40 != 0 }

  /// Puts in what the call site knows. The template must outlive the view.
  package mutating func complete(with template: RecordTemplate) { unsafe complete(with: template.facts) }

  @inline(__always)
  mutating func complete(with facts: UnsafePointer<RecordTemplate.Facts>) { unsafe self.facts = facts }

  /// The segments, from the first.
  package var reader: SegmentReader {
    let bytes = unsafe UnsafeBufferPointer(start: start, count: count)
    guard let facts = unsafe facts else { return unsafe SegmentReader(bytes) }
    return unsafe SegmentReader(bytes, facts.pointee.pieces)
  }

  /// The segments of a record that goes by its call site's plan.
  @inline(__always)
  var values: PlannedValues { unsafe PlannedValues(start: start, count: count) }
}
