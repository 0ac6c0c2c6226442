public import CTreeRing

/// The inside of a log call, the same for loggers and debug channels.
///
/// 1. Take the thread's ring: `ready` becomes NULL, which marks it busy. A call inside an argument, or in a signal handler, finds NULL and goes
///    to a ring of its own (`CallPath+Slow.swift`).
/// 2. The text, the context and the fields write themselves where the head points.
/// 3. Commit: the record's header, then the head, with release; then one look at the ring's attention word.
///
/// Any thread may be here, at any depth. Nothing blocks; what does not fit is dropped and counted, or cut and marked.
@frozen
@usableFromInline
enum CallPath {
  @inlinable
  @inline(__always)
  static func record(
    level: Level, flags: UInt8, name: LogKey, label: UInt16, context: LogContext?, text: () -> LogText,
    error: () -> (any Error)?, fields: (inout LogFields) -> Void
  ) {
    let thread = unsafe tr_thread()
    guard let ring = unsafe take(thread, level) else { return }
    let start = unsafe tr_start(ring)
    unsafe thread.pointee.cursor = start + RecordLayout.headerSize
    unsafe thread.pointee.limit = start + Int(ring.pointee.max_record)
    if label == 0 { unsafe writeLabel(thread, name) }
    var writer = text().writer
    if let context { writer.copy(context.segments) }
    if let error = error() { writer.error(error) }
    var collected = LogFields(writer)
    fields(&collected)
    guard let end = unsafe collected.writer.cursor, !collected.writer.isFull else {
      return unsafe finishFull(thread, ring, start, collected.writer, level, flags, label)
    }
    let attention = unsafe tr_commit(ring, start, end, level.rawValue, flags, label)
    if attention == 0 {
      unsafe tr_give_back(thread, ring)
    } else {
      unsafe finishAttended(thread, ring, start, attention)
    }
  }
}

extension CallPath {
  /// The thread's ring, busy from now on, with room for the largest record.
  @inlinable
  @inline(__always)
  static func take(_ thread: UnsafeMutablePointer<TRThread>, _ level: Level) -> UnsafeMutablePointer<TRRing>? {
    let ring = unsafe tr_take(thread)
    if let ring = unsafe ring, unsafe tr_has_room(ring) { return unsafe ring }
    return unsafe takeSlowly(thread, ring, level)
  }
}

extension RecordWriter {
  /// Copies segments that are encoded already. Too many of them are cut at a segment's end.
  @usableFromInline
  @inline(never)
  mutating func copy(_ segments: [UInt8]) {
    unsafe segments.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress, let at = unsafe cursor, !isFull else { return }
      let fits = room >= source.count ? source.count : unsafe SegmentReader.wholeSegments(in: source, atMost: room)
      unsafe at.update(from: start, count: fits)
      unsafe cursor = at + fits
      if fits < source.count { fill() }
    }
  }
}
