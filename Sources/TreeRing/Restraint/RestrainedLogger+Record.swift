import CTreeRing
import Glibc

/// The inside of a restrained call that is not below its level.
extension RestrainedLogger {
  @usableFromInline
  @inline(never)
  func restrained(
    _ level: Level, _ source: LogSource, _ text: () -> LogText, _ error: () -> (any Error)?,
    _ fields: (inout LogFields) -> Void
  ) {
    guard logger.isEnabled(level) else { return }
    var folds = false
    if case .repeats = restraint { folds = true }
    // A recorder's label does not outlive it, so there nothing can be told at the end.
    let name = logger.context?.recording == nil ? logger.name : nil
    guard let site = RestraintSite(source, level: level, folds: folds, name: name) else {
      return write(level, source, text, error, fields)
    }
    if folds {
      fold(level, source, site, text, error, fields)
    } else {
      let verdict = site.judge(restraint, now: Self.now)
      guard verdict.passes else { return }
      tell(verdict.withheld, level, source, folds: false)
      write(level, source, text, error) {
        fields(&$0)
        if case .sample(let count) = restraint { $0["treering.sampled"] = count }
      }
    }
  }

  /// Milliseconds since the machine started.
  private static var now: UInt64 { Syscalls.now(CLOCK_MONOTONIC) / 1_000_000 }

  private func write(
    _ level: Level, _ source: LogSource, _ text: () -> LogText, _ error: () -> (any Error)?,
    _ fields: (inout LogFields) -> Void
  ) {
    CallPath.record(
      level: level, flags: 0, name: logger.name, label: CallPath.label(logger.name, logger.context),
      context: logger.context, source: source, text: text, error: error, fields: fields)
  }

  private func tell(_ count: UInt64, _ level: Level, _ source: LogSource, folds: Bool) {
    guard count > 0 else { return }
    logger.tell(count, folds: folds, level, file: source.file.description, line: source.place >> 16)
  }

  /// Encodes the record aside, and writes it unless it is the last one again.
  private func fold(
    _ level: Level, _ source: LogSource, _ site: RestraintSite, _ text: () -> LogText, _ error: () -> (any Error)?,
    _ fields: (inout LogFields) -> Void
  ) {
    let segments = [UInt8](encoding: text, error, fields)
    var hash = SipHash(key: (0, 0))
    for byte in segments { hash.combine(byte) }
    let verdict = site.judge(restraint, now: Self.now, hash: hash.finish() | 1)
    guard verdict.passes else { return }
    tell(verdict.withheld, level, source, folds: true)
    write(level, source, { LogText(segments: segments) }, { nil }, { _ in })
  }
}

extension [UInt8] {
  /// What a call says, outside of any ring. What a record cannot hold is cut.
  fileprivate init(
    encoding text: () -> LogText, _ error: () -> (any Error)?, _ fields: (inout LogFields) -> Void
  ) {
    let room = RecordLayout.largestRecord - RecordLayout.headerSize
    self = unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room) { scratch -> [UInt8] in
      guard let start = scratch.baseAddress else { return [] }
      var writer = unsafe RecordWriter.lending(start, start + room) { text().writer }
      if let error = error() { writer.follow(writer.place.adding(error)) }
      var collected = LogFields(writer)
      fields(&collected)
      return unsafe [UInt8](UnsafeBufferPointer(start: start, count: collected.writer.cursor - start))
    }
  }
}

extension RecordWriter {
  /// Makes the next text that begins on this thread write into other memory than a ring's.
  fileprivate static func lending(
    _ start: UnsafeMutablePointer<UInt8>, _ limit: UnsafeMutablePointer<UInt8>, _ body: () -> RecordWriter
  ) -> RecordWriter {
    let thread = unsafe tr_thread()
    let saved = unsafe (thread.pointee.cursor, thread.pointee.limit, thread.pointee.slots)
    defer { unsafe (thread.pointee.cursor, thread.pointee.limit, thread.pointee.slots) = saved }
    unsafe (thread.pointee.cursor, thread.pointee.limit, thread.pointee.slots) = (
      start, limit, tr_site_slots(tr_site_at(TR_SITE_NONE))
    )
    return body()
  }
}

extension LogText {
  /// Pieces that are encoded already, copied to where the call under way has its text.
  fileprivate init(segments: [UInt8]) {
    writer = RecordWriter(RecordWriter.forCallUnderWay().place.adding(segments))
  }
}
