import CTreeRing
import Glibc

/// The inside of a restrained call that is not below its level: of a logger, or of a debug channel.
struct RestrainedCall {
  let restraint: Restraint
  let level: Level
  let source: LogSource
  /// The logger's label, or the channel's name.
  let name: LogKey
  let context: LogContext?
  let isChannel: Bool
  /// Whether `name` lives for ever.
  let canBeToldLater: Bool

  /// Whether its level, or its channel, is on.
  var isOn: Bool {
    isChannel ? CallPath.allowsChannel(name) : Logger(name: name, context: context).isEnabled(level)
  }

  func make(_ text: () -> LogText, _ error: () -> (any Error)?, _ fields: (inout LogFields) -> Void) {
    var folds = false
    if case .repeats = restraint { folds = true }
    let site = RestraintSite(
      source, level: level, folds: folds, isChannel: isChannel, name: canBeToldLater ? name : nil)
    guard let site else { return write(text, error, fields) }
    if folds {
      fold(site, text, error, fields)
    } else {
      let verdict = site.judge(restraint, now: Self.now)
      guard verdict.passes else { return }
      tell(verdict.withheld, folds: false)
      write(text, error) {
        fields(&$0)
        if case .sample(let count) = restraint { $0["treering.sampled"] = count }
      }
    }
  }

  /// Milliseconds since the machine started.
  private static var now: UInt64 { Syscalls.now(CLOCK_MONOTONIC) / 1_000_000 }

  private func write(_ text: () -> LogText, _ error: () -> (any Error)?, _ fields: (inout LogFields) -> Void) {
    write(source, text, error, fields)
  }

  private func write(
    _ source: LogSource, _ text: () -> LogText, _ error: () -> (any Error)?, _ fields: (inout LogFields) -> Void
  ) {
    CallPath.record(
      level: level, flags: isChannel ? RecordFlags.channel : 0, name: name,
      label: isChannel ? CallPath.channelLabel(name) : CallPath.label(name, context), context: context,
      source: source, text: text, error: error, fields: fields)
  }

  /// Writes how many records the call has held back.
  private func tell(_ count: UInt64, folds: Bool) {
    guard count > 0 else { return }
    tell(count, folds: folds, file: source.file.description, line: source.place >> 16)
  }

  /// The same, of a call that is known by its place alone.
  func tell(_ count: UInt64, folds: Bool, file: String, line: UInt64) {
    let text = { () -> LogText in
      folds
        ? "last message repeated \(count, "treering.repeated") times"
        : "records suppressed: \(count, "treering.suppressed")"
    }
    // The place is that of the call it is about, not this one.
    write(LogSource.none, text, { nil }) {
      $0["source.file"] = file
      $0["source.line"] = line
    }
  }

  /// Encodes the record aside, and writes it unless it is the last one again.
  private func fold(
    _ site: RestraintSite, _ text: () -> LogText, _ error: () -> (any Error)?, _ fields: (inout LogFields) -> Void
  ) {
    let segments = [UInt8](encoding: text, error, fields)
    var hash = SipHash(key: (0, 0))
    for byte in segments { hash.combine(byte) }
    let verdict = site.judge(restraint, now: Self.now, hash: hash.finish() | 1)
    guard verdict.passes else { return }
    tell(verdict.withheld, folds: true)
    write({ LogText(segments: segments) }, { nil }, { _ in })
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
