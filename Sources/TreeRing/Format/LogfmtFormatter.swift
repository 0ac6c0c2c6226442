/// `time=… level=info logger=shop.checkout msg="order 17 placed" pid=… ring=… seq=… order.id=17`: the contract's record as logfmt.
///
/// Nested values are flattened (``FlatFields``): `user.address.city=Rome`, a list is its JSON text, `codes=[1,2]`. A field whose name is taken gets a trailing
/// `_`, as in JSON. Readers that know no types take every value as text.
final class LogfmtFormatter: Formatter {
  private let timestamp = Timestamp()
  private let fields = FlatFields()
  private let names = NameSet(reserving: .record)

  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    unsafe begin(context, record.level, to: output)
    output.append(unsafe record.isChannel ? " ns=" : " logger=")
    unsafe record.withLabel(context) { unsafe output.appendLogfmtValue($0) }
    output.append(" msg=\"")
    unsafe MessageText.append(record, to: output) { unsafe $0.appendJSONEscaped($1, isForPeople: true) }
    output.append("\"")
    unsafe origin(context, sequence: record.sequence, hasOwnPID: record.isAboutOther, to: output)
    let isWhole = unsafe append(fieldsOf: record, to: output)
    if unsafe record.isTruncated || !isWhole { output.append(" treering.truncated=true") }
    unsafe end(context, to: output)
  }

  private func end(_ context: RecordContext, to output: OutputBuffer) {
    if unsafe context.isRecovered { output.append(" treering.recovered=true") }
    output.append("\n")
  }

  private func begin(_ context: RecordContext, _ level: Level, to output: OutputBuffer) {
    output.append("time=")
    unsafe timestamp.append(context.time, digits: 9, to: output)
    output.append(" level=")
    output.append(level.spelling)
  }

  private func origin(_ context: RecordContext, sequence: UInt64?, hasOwnPID: Bool, to output: OutputBuffer) {
    if !hasOwnPID {
      output.append(" pid=")
      unsafe output.append(UInt64(context.pid))
    }
    output.append(" ring=")
    unsafe output.append(ring: context.ring)
    guard let sequence else { return }
    output.append(" seq=")
    output.append(sequence)
  }

  /// False when a name could not be told apart from others.
  private func append(fieldsOf record: RecordView, to output: OutputBuffer) -> Bool {
    var isWhole = true
    names.removeAll(allowingPID: unsafe record.isAboutOther)
    unsafe fields.forEach(of: record) { field in
      let before = output.count
      output.append(" ")
      unsafe output.appendLogfmtName(field.key)
      guard names.settle(from: before + 1, in: output) else {
        output.truncate(to: before)
        isWhole = false
        return
      }
      output.append("=")
      unsafe output.appendLogfmtValue(of: field)
    }
    return isWhole
  }

  func append(_ notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer) {
    unsafe begin(context, notice.level, to: output)
    output.append(" logger=treering msg=\"")
    output.append(notice.message)
    output.append("\"")
    unsafe origin(context, sequence: notice.sequence, hasOwnPID: false, to: output)
    output.appendLogfmt(notice) { timestamp.append($0, digits: 9, to: output) }
    unsafe end(context, to: output)
  }
}
