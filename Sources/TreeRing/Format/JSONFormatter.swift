/// The contract's JSON record: one object per line.
///
/// `{"time":…,"level":…,"logger":…,"msg":…,"pid":…,"ring":…,"seq":…, fields…}`. A field whose name is taken gets a trailing `_`. Numbers that JSON
/// has not (nan, infinities) are strings; durations are seconds.
final class JSONFormatter: Formatter {
  let timestamp = Timestamp()
  private let body = JSONBody(reserving: .record)
  /// The members of a record that goes by its plan, until the text has ended.
  let members = OutputBuffer(capacity: 1024)
  /// What stands between the time and the label.
  let lead = LevelPieces { level, output in
    output.append("Z\",\"level\":\"")
    output.append(level.spelling)
    output.append("\",\"logger\":\"")
  }

  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    if unsafe !appendPlanned(record, context, to: output) { unsafe appendAny(record, context, to: output) }
  }

  /// Any record at all.
  func appendAny(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    unsafe begin(time: context.time, level: record.level, to: output)
    unsafe label(of: record, context, to: output)
    output.append(",\"msg\":\"")
    unsafe body.appendText(of: record, to: output)
    output.append("\"")
    unsafe origin(context, sequence: record.sequence, hasOwnPID: record.isAboutOther, to: output)
    let isWhole = unsafe body.appendFields(of: record, to: output)
    if unsafe record.isTruncated || !isWhole { output.append(",\"treering.truncated\":true") }
    unsafe end(context, to: output)
  }

  private func begin(time: UInt64, level: Level, to output: OutputBuffer) {
    output.append("{\"time\":\"")
    timestamp.append(time, digits: 9, to: output)
    output.append("\",\"level\":\"")
    output.append(level.spelling)
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
    unsafe output.append(ring: context.ring)
    output.append("\"")
    if let sequence {
      output.append(",\"seq\":")
      output.append(sequence)
    }
  }

  func append(_ notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer) {
    unsafe begin(time: context.time, level: notice.level, to: output)
    output.append("\",\"logger\":\"treering\",\"msg\":\"")
    output.append(notice.message)
    output.append("\"")
    unsafe origin(context, sequence: notice.sequence, to: output)
    notice.appendJSONMembers(to: output) { timestamp.append($0, digits: 9, to: output) }
    unsafe end(context, to: output)
  }

  private func end(_ context: RecordContext, to output: OutputBuffer) {
    if unsafe context.isRecovered { output.append(",\"treering.recovered\":true") }
    output.append("}\n")
  }
}
