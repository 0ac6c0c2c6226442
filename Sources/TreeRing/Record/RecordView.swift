import CTreeRing

/// A record as its reader sees it: the fixed part, checked, and its segments, not looked at yet.
@unsafe
package struct RecordView {
  package let level: Level
  package var isTruncated: Bool
  package let isChannel: Bool
  /// About another process than the one that logged it.
  package let isAboutOther: Bool
  /// Id in the label table; 0: the first segment carries the label.
  package let label: UInt16
  /// Id of the call site; 0: the record says everything itself.
  package let site: UInt16
  package internal(set) var ticks: UInt64
  package let sequence: UInt64
  private let segments: UnsafeBufferPointer<UInt8>
  /// What the call site's template knows; empty until `RecordTemplates` has found it.
  private var pieces = unsafe UnsafeBufferPointer<RecordTemplate.Piece>(start: nil, count: 0)
  /// ``RecordTemplate/areNamesSettled``.
  private(set) var areNamesSettled = false
  /// Distance to the next record.
  package let stride: Int

  /// Reads the record at the start of `bytes`; nil when there cannot be one: too short, a size out of range, an unknown level.
  /// The bytes may be anything. They must not change while the view is used.
  package init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= RecordLayout.headerSize, let start = bytes.baseAddress else { return nil }
    let record = unsafe start.loadUnaligned(as: TRRecord.self)
    let size = Int(record.size)
    let stride = (size + 7) & ~7
    guard size >= RecordLayout.headerSize, stride <= bytes.count, size <= RecordLayout.largestRecord,
      let level = Level(rawValue: record.level)
    else { return nil }
    unsafe self.level = level
    unsafe isTruncated = record.flags & RecordFlags.truncated != 0
    unsafe isChannel = record.flags & RecordFlags.channel != 0
    unsafe isAboutOther = record.flags & RecordFlags.otherProcess != 0
    unsafe label = record.label
    unsafe site = record.site
    unsafe ticks = record.ticks
    unsafe sequence = record.sequence
    unsafe self.stride = stride
    unsafe segments = UnsafeBufferPointer(
      start: (start + RecordLayout.headerSize).assumingMemoryBound(to: UInt8.self),
      count: size - RecordLayout.headerSize)
  }

  /// Puts in what the call site knows. The template must outlive the view.
  @inline(__always)
  package mutating func complete(with template: RecordTemplate) {
    unsafe pieces = template.pieces
    unsafe areNamesSettled = template.areNamesSettled
  }

  /// The segments, from the first.
  package var reader: SegmentReader { unsafe SegmentReader(segments, pieces) }
}
