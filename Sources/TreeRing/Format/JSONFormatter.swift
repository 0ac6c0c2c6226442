/// The contract's JSON record: one object per line.
///
/// `{"time":…,"level":…,"logger":…,"msg":…,"pid":…,"ring":…,"seq":…, fields…}`. A field whose name is taken gets a trailing `_`. Numbers that JSON
/// has not (nan, infinities) are strings; durations are seconds.
final class JSONFormatter: Formatter {
  private var timestamp = Timestamp()
  private let fields = JSONFields(reserving: .record)

  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    unsafe begin(time: context.time, level: record.level, to: output)
    unsafe label(of: record, context, to: output)
    output.append(",\"msg\":\"")
    unsafe text(of: record, to: output)
    output.append("\"")
    unsafe origin(context, sequence: record.sequence, hasOwnPID: record.isAboutOther, to: output)
    let isWhole = unsafe fields.append(record, to: output)
    if unsafe record.isTruncated || !isWhole { output.append(",\"treering.truncated\":true") }
    output.append("}\n")
  }

  private func begin(time: UInt64, level: Level, to output: OutputBuffer) {
    output.append("{\"time\":\"")
    append(time, to: output)
    output.append("\",\"level\":\"")
    output.append(level.spelling)
  }

  /// Copied out and in: whole reads and writes of a property need no check for exclusive access.
  private func append(_ time: UInt64, to output: OutputBuffer) {
    var timestamp = timestamp
    timestamp.append(time, digits: 9, to: output)
    self.timestamp = timestamp
  }

  private func label(of record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    output.append(unsafe record.isChannel ? "\",\"ns\":\"" : "\",\"logger\":\"")
    unsafe record.withLabel(context) { unsafe output.appendJSONEscaped($0) }
    output.append("\"")
  }

  private func origin(
    _ context: RecordContext, sequence: UInt64?, hasOwnPID: Bool = false, to output: OutputBuffer
  ) {
    if !hasOwnPID {
      output.append(",\"pid\":")
      unsafe output.append(UInt64(context.pid))
    }
    output.append(",\"ring\":\"")
    unsafe output.append(context.ring)
    output.append("\"")
    if let sequence {
      output.append(",\"seq\":")
      output.append(sequence)
    }
  }

  private func text(of record: RecordView, to output: OutputBuffer) {
    unsafe MessageText.append(record, to: output) { unsafe output.appendJSONEscaped($0) }
  }

  func append(_ notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer) {
    unsafe begin(time: context.time, level: notice.level, to: output)
    output.append("\",\"logger\":\"treering\",\"msg\":\"")
    output.append(notice.message)
    output.append("\"")
    var sequence: UInt64?
    switch notice {
    case .processClosed(_, _, let number): sequence = number
    case .ringClosed(let committed, _, _): sequence = committed
    default: break
    }
    unsafe origin(context, sequence: sequence, to: output)
    numbers(of: notice, to: output)
    output.append("}\n")
  }

  private func numbers(of notice: StreamNotice, to output: OutputBuffer) {
    switch notice {
    case .dropped(let cause, let byLevel, let total, let first, let last):
      dropped(byLevel.reduce(0) { $0 &+ $1.1 }, total: total, cause: cause.name, to: output)
      levels(",\"treering.levels\":{", byLevel, to: output)
      times(first, last, to: output)
    case .lost(let byLevel, let count, let total):
      dropped(count, total: total, cause: "no ring", to: output)
      levels(",\"treering.levels_total\":{", byLevel, to: output)
    case .unreadable(let bytes, let sequence):
      field(",\"treering.bytes\":", bytes, to: output)
      field(",\"treering.from\":", sequence, to: output)
    case .processClosed(let rings, let lost, _):
      field(",\"treering.rings\":", UInt64(rings), to: output)
      field(",\"treering.dropped\":", lost, to: output)
    case .ringClosed(let committed, let dropped, let filtered):
      field(",\"treering.committed\":", committed, to: output)
      field(",\"treering.dropped\":", dropped, to: output)
      if filtered > 0 { field(",\"treering.filtered\":", filtered, to: output) }
    case .withheld, .untold, .sinkFailed, .sinkBack: outage(notice, to: output)
    }
  }

  /// What one sink has missed, and why.
  private func outage(_ notice: StreamNotice, to output: OutputBuffer) {
    switch notice {
    case .withheld(let withheld):
      field(",\"treering.dropped\":", withheld.count, to: output)
      field(",\"treering.from\":", withheld.sequences.lowerBound, to: output)
      field(",\"treering.to\":", withheld.sequences.upperBound, to: output)
      output.append(",\"treering.cause\":\"sink failed\"")
      if !withheld.byLevel.isEmpty { levels(",\"treering.levels\":{", withheld.byLevel, to: output) }
      if let range = withheld.times { times(range.lowerBound, range.upperBound, to: output) }
    case .untold(let count, let total): dropped(count, total: total, cause: "sink failed", to: output)
    case .sinkFailed(let sink, let error):
      string(",\"treering.sink\":\"", sink, to: output)
      string(",\"treering.error\":\"", error, to: output)
    case .sinkBack(let sink, let lost, let nanoseconds):
      string(",\"treering.sink\":\"", sink, to: output)
      field(",\"treering.lost\":", lost, to: output)
      field(",\"treering.down_ms\":", nanoseconds / 1_000_000, to: output)
    default: break
    }
  }

  private func times(_ first: UInt64, _ last: UInt64, to output: OutputBuffer) {
    output.append(",\"treering.first\":\"")
    append(first, to: output)
    output.append("\",\"treering.last\":\"")
    append(last, to: output)
    output.append("\"")
  }

  private func string(_ name: StaticString, _ text: String, to output: OutputBuffer) {
    var text = text
    output.append(name)
    text.withUTF8 { unsafe output.appendJSONEscaped($0) }
    output.append("\"")
  }

  private func dropped(_ count: UInt64, total: UInt64, cause: String, to output: OutputBuffer) {
    field(",\"treering.dropped\":", count, to: output)
    field(",\"treering.dropped_total\":", total, to: output)
    output.append(",\"treering.cause\":\"\(cause)\"")
  }

  private func levels(_ name: StaticString, _ byLevel: [(Level, UInt64)], to output: OutputBuffer) {
    output.append(name)
    for (index, (level, count)) in byLevel.enumerated() {
      output.append("\(index == 0 ? "" : ",")\"\(level.name)\":\(count)")
    }
    output.append("}")
  }

  private func field(_ name: StaticString, _ number: UInt64, to output: OutputBuffer) {
    output.append(name)
    output.append(number)
  }
}
