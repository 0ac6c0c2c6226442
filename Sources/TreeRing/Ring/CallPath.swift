public import CTreeRing

/// The inside of a log call, the same for loggers and debug channels.
///
/// 1. Take the thread's ring: `ready` becomes NULL, which marks it busy. A call inside an argument, or in a signal handler, finds NULL and goes
///    to a ring of its own (`CallPath+Slow.swift`).
/// 2. The text, the context and the fields write themselves where the head points; what the call site's earlier records have said already is left out.
/// 3. Commit: the record's header, then the head, with release; then one look at the ring's attention word.
///
/// Any thread may be here, at any depth. Nothing blocks; what does not fit is dropped and counted, or cut and marked.
@frozen
@usableFromInline
enum CallPath {
  @inlinable
  @inline(__always)
  static func record(
    level: Level, flags: UInt8, name: LogKey, label: UInt16, context: LogContext?, source: LogSource,
    text: () -> LogText, error: () -> (any Error)?, fields: (inout LogFields) -> Void
  ) {
    let thread = unsafe tr_thread()
    guard let ring = unsafe take(thread, level) else { return }
    let start = unsafe tr_start(ring)
    var begin = unsafe start + RecordLayout.headerSize
    let limit = unsafe start + (Int(truncatingIfNeeded: ring.pointee.max_record) &- RecordLayout.slack)
    if _slowPath(label == 0) { unsafe begin = writeLabel(begin, limit, name) }
    // Of a record without a place, a backend's for example, nothing is looked up: the compiler sees it there.
    var site = unsafe tr_site_at(TR_SITE_NONE)
    if source.place != 0 {
      unsafe site = tr_site(source.file.utf8Start, source.place) ?? SiteTable.unknown(thread, ring, source)
    }
    unsafe thread.pointee.cursor = begin
    unsafe thread.pointee.limit = limit
    unsafe thread.pointee.slots = tr_site_slots(site)
    var writer = text().writer
    if unsafe _slowPath(!tr_site_text_is_through(site, writer.slots)) { writer.follow(writer.place.endingText()) }
    if let context { writer.follow(writer.place.adding(context.segments)) }
    if unsafe tr_looks_for_task_context(ring) { writer.follow(writer.place.addingTaskContext()) }
    if let error = error() { writer.follow(writer.place.adding(error)) }
    var collected = LogFields(writer)
    fields(&collected)
    // Of a level that the source names, the compiler knows the answer.
    if level.rawValue >= Level.error.rawValue, source.place != 0 {
      collected.writer.follow(collected.writer.place.adding(source))
    }
    let id = unsafe UInt16(truncatingIfNeeded: site.pointee.id)
    guard _fastPath(!collected.writer.isFull) else {
      return unsafe finishFull(thread, ring, start, collected.writer.place, level, flags, label, id)
    }
    let attention = unsafe tr_commit(ring, start, collected.writer.cursor, id, level.rawValue, flags, label)
    if _fastPath(attention == 0) {
      unsafe tr_give_back(thread, ring)
    } else {
      unsafe finishAttended(thread, ring, start, attention)
    }
  }
}

/// Where a call stands in the source.
@frozen
@usableFromInline
struct LogSource {
  @usableFromInline let file: StaticString
  /// Line << 16 | column.
  @usableFromInline let place: UInt64

  @inlinable
  @inline(__always)
  init(_ file: StaticString, _ line: UInt32, _ column: UInt32) {
    self.file = file
    place = UInt64(line) << 16 | UInt64(column & 0xFFFF)
  }

  /// Of a record that no call in the source can be named for.
  @inlinable @inline(__always)
  static var none: LogSource { LogSource("", 0, 0) }
}

extension CallPath {
  /// The thread's ring, busy from now on, with room for the largest record.
  @inlinable
  @inline(__always)
  static func take(_ thread: UnsafeMutablePointer<TRThread>, _ level: Level) -> UnsafeMutablePointer<TRRing>? {
    let ring = unsafe tr_take(thread)
    if let ring = unsafe ring, unsafe _fastPath(tr_has_room(ring)) { return unsafe ring }
    return unsafe takeSlowly(thread, ring, level)
  }
}

extension RecordPlace {
  /// `source.file` and `source.line`: where something went wrong is the first question about it, and other records are not asked that.
  @usableFromInline
  @inline(never)
  func adding(_ source: LogSource) -> RecordPlace {
    var writer = RecordWriter(self)
    let file = unsafe UnsafeBufferPointer(start: source.file.utf8Start, count: source.file.utf8CodeUnitCount)
    unsafe writer.bytes(SegmentTag.string | SegmentTag.fieldOnly, "source.file", file)
    (source.place >> 16).write(to: &writer, key: "source.line", fieldOnly: true)
    return writer.place
  }

  /// Copies segments that are encoded already. Too many of them are cut at a segment's end.
  @usableFromInline
  @inline(never)
  func adding(_ segments: [UInt8]) -> RecordPlace {
    var place = self
    unsafe segments.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress, !isFull else { return }
      let fits = room >= source.count ? source.count : unsafe SegmentReader.wholeSegments(in: source, atMost: room)
      unsafe cursor.update(from: start, count: fits)
      unsafe place.cursor = cursor + fits
      if fits < source.count { place.fill() }
    }
    return place
  }
}
