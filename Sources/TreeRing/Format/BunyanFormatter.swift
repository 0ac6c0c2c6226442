/// A line as node's `bunyan` writes it, for its command and for what reads such lines: `{"v":0,"level":30,"name":"shop.checkout","hostname":…,"pid":…,
/// "time":…,"msg":…}` and then `ring`, `seq` and the fields, as in the contract's record.
///
/// Levels are bunyan's numbers: trace 10, debug 20, info 30, warning 40, error 50, critical 60. bunyan has no notice: it is 35, between info and warning,
/// which its command shows as `LVL35` and filters in the right order.
final class BunyanFormatter: Formatter {
  private let timestamp = Timestamp()
  private let body = JSONBody(reserving: .bunyan)
  private let hostname: OutputBuffer

  init(hostname: String = HostName.current) {
    self.hostname = OutputBuffer(capacity: 64)
    var text = hostname
    let escaped = self.hostname
    text.withUTF8 { unsafe escaped.appendJSONEscaped($0) }
  }

  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    unsafe begin(record.level, to: output)
    unsafe record.withLabel(context) { unsafe output.appendJSONEscaped($0) }
    unsafe origin(context, hasOwnPID: record.isAboutOther, to: output)
    unsafe body.appendText(of: record, to: output)
    unsafe place(context, sequence: record.sequence, to: output)
    let isWhole = unsafe body.appendFields(of: record, to: output)
    if unsafe record.isTruncated || !isWhole { output.append(",\"treering.truncated\":true") }
    unsafe end(context, to: output)
  }

  private func end(_ context: RecordContext, to output: OutputBuffer) {
    if unsafe context.isRecovered { output.append(",\"treering.recovered\":true") }
    output.append("}\n")
  }

  private func begin(_ level: Level, to output: OutputBuffer) {
    output.append("{\"v\":0,\"level\":")
    output.append(level.bunyan)
    output.append(",\"name\":\"")
  }

  private func origin(_ context: RecordContext, hasOwnPID: Bool, to output: OutputBuffer) {
    output.append("\",\"hostname\":\"")
    unsafe output.append(hostname.bytes.assumingMemoryBound(to: UInt8.self))
    output.append("\"")
    if !hasOwnPID {
      output.append(",\"pid\":")
      unsafe output.append(UInt64(context.pid))
    }
    output.append(",\"time\":\"")
    unsafe timestamp.append(context.time, digits: 9, to: output)
    output.append("\",\"msg\":\"")
  }

  private func place(_ context: RecordContext, sequence: UInt64?, to output: OutputBuffer) {
    output.append("\",\"ring\":\"")
    unsafe output.append(ring: context.ring)
    output.append("\"")
    guard let sequence else { return }
    output.append(",\"seq\":")
    output.append(sequence)
  }

  func append(_ notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer) {
    begin(notice.level, to: output)
    output.append("treering")
    unsafe origin(context, hasOwnPID: false, to: output)
    output.append(notice.message)
    unsafe place(context, sequence: notice.sequence, to: output)
    notice.appendJSONMembers(to: output) { timestamp.append($0, digits: 9, to: output) }
    unsafe end(context, to: output)
  }
}

extension Level {
  fileprivate var bunyan: StaticString {
    switch self {
    case .trace: "10"
    case .debug: "20"
    case .info: "30"
    case .notice: "35"
    case .warning: "40"
    case .error: "50"
    case .critical: "60"
    }
  }
}
