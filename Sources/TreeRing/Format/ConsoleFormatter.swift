/// For people: `03:04:05.678 INFO  shop.checkout  order 17 placed  order.id=17`, coloured on a terminal.
///
/// Debug channels look as npm's `debug` prints them: on a terminal two blanks, the coloured name, the message; elsewhere an ISO date, the name, the message.
/// Records about the stream's own bookkeeping are left out, but for drops.
///
/// A text of several lines keeps them: each one behind the first is indented by four blanks, so that no text can make up a line that looks like a record of its own.
/// Fields are flattened (``FlatFields``), their values quoted as in logfmt where they would run into the next.
final class ConsoleFormatter: Formatter {
  private let colours: Bool
  private let timestamp = Timestamp()

  private let isMultiline: Bool
  private let flat = FlatFields()

  /// - Parameter isMultiline: false shows a line feed as `\n`, for destinations where a line feed ends the record.
  init(colours: Bool, isMultiline: Bool = true) {
    self.colours = colours
    self.isMultiline = isMultiline
  }

  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    let seen: MessageText.Seen
    if unsafe record.isChannel {
      seen = unsafe channel(record, context, to: output)
    } else {
      unsafe line(time: context.time, level: record.level, to: output)
      unsafe label(of: record, context, to: output)
      output.append("  ")
      seen = unsafe text(of: record, to: output)
    }
    if seen.hasFields { unsafe fields(of: record, to: output) }
    if unsafe record.isTruncated { output.append("  (truncated)") }
    if unsafe context.isRecovered { output.append("  (recovered)") }
    output.append("\n")
  }

  private func line(time: UInt64, level: Level, to output: OutputBuffer) {
    paint("\u{1B}[2m", output)
    timestamp.append(time, digits: 3, to: output)
    paint("\u{1B}[0m", output)
    output.append(" ")
    paint(level.colour, output)
    output.append(level.column)
    paint("\u{1B}[0m", output)
    output.append(" ")
  }

  @inline(__always)
  private func paint(_ code: StaticString, _ output: OutputBuffer) {
    if colours { output.append(code) }
  }

  @inline(__always)
  private func label(of record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    unsafe record.withLabel(context) { unsafe output.appendTextEscaped($0) }
  }

  /// On a terminal each line of the text has the name in front, as npm's has.
  private func channel(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) -> MessageText.Seen {
    guard colours else {
      unsafe timestamp.append(context.time, digits: 3, to: output)
      output.append(" ")
      unsafe label(of: record, context, to: output)
      output.append(" ")
      return unsafe text(of: record, to: output)
    }
    let start = output.count
    output.append("  ")
    unsafe output.append(string: channelColour(record, context))
    unsafe label(of: record, context, to: output)
    output.append(" \u{1B}[0m")
    return unsafe text(of: record, to: output, prefix: start..<output.count)
  }

  private func channelColour(_ record: RecordView, _ context: RecordContext) -> String {
    let name = unsafe String(decoding: context.label ?? UnsafeRawBufferPointer(start: nil, count: 0), as: UTF8.self)
    return "\u{1B}[3\(DebugColor(for: name, in: .basic).code);1m"
  }

  /// The text; what stands at `prefix` in the output, or blanks, begins each line behind its first.
  @inline(__always)
  private func text(
    of record: RecordView, to output: OutputBuffer, prefix: Range<Int>? = nil
  ) -> MessageText.Seen {
    let isMultiline = isMultiline
    return unsafe MessageText.append(record, to: output) { output, bytes in
      if unsafe Escape.isPlainText(bytes) {
        unsafe output.append(bytes)
      } else if isMultiline, unsafe bytes.contains(UInt8(ascii: "\n")) {
        unsafe Self.lines(bytes, to: output, prefix: prefix)
      } else {
        unsafe output.appendTextEscaped(bytes)
      }
    }
  }

  private static func lines(_ bytes: UnsafeBufferPointer<UInt8>, to output: OutputBuffer, prefix: Range<Int>?) {
    var start = 0
    for index in 0..<bytes.count where unsafe bytes[index] == UInt8(ascii: "\n") {
      // A carriage return in front of a line feed belongs to it.
      let end = unsafe index > start && bytes[index - 1] == UInt8(ascii: "\r") ? index - 1 : index
      unsafe output.appendTextEscaped(UnsafeBufferPointer(rebasing: bytes[start..<end]))
      output.append("\n")
      if let prefix { output.repeatBytes(prefix) } else { output.append("    ") }
      start = index + 1
    }
    unsafe output.appendTextEscaped(UnsafeBufferPointer(rebasing: bytes[start...]))
  }

  /// A value that the text shows already is not repeated.
  @inline(never)
  private func fields(of record: RecordView, to output: OutputBuffer) {
    unsafe flat.forEach(of: record, includingText: false) { field in
      output.append("  ")
      paint("\u{1B}[36m", output)
      unsafe output.appendTextEscaped(field.key)
      paint("\u{1B}[0m", output)
      output.append("=")
      unsafe output.appendLogfmtValue(of: field)
      if unsafe field.tag == SegmentTag.duration { output.append("s") }
    }
  }

  func append(_ notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer) {
    let counts: String
    switch notice {
    case .dropped(let cause, let byLevel, _, _, _): counts = "\(cause.name): " + Self.list(byLevel)
    case .lost(let byLevel, _, _): counts = "no ring: " + Self.list(byLevel)
    case .unreadable(let bytes, _): counts = "\(bytes) bytes"
    case .withheld(let withheld):
      counts = "sink failed: \(withheld.byLevel.isEmpty ? "\(withheld.count)" : Self.list(withheld.byLevel))"
    case .untold(let count, _): counts = "\(count), not told before"
    case .sinkFailed(let sink, let error): counts = "\(sink): \(error)"
    case .sinkBack(let sink, let lost, let nanoseconds):
      counts = "\(sink) after \(nanoseconds / 1_000_000) ms, records lost for it: \(lost)"
    case .processClosed, .ringClosed, .sinkFiltered: return
    }
    unsafe line(time: context.time, level: notice.level, to: output)
    output.append("treering  ")
    output.append(notice.message)
    output.append("  ")
    var text = counts
    text.withUTF8 { unsafe output.appendTextEscaped($0) }
    output.append("\n")
  }

  private static func list(_ byLevel: [(Level, UInt64)]) -> String {
    byLevel.map { "\($0.1) \($0.0.name)" }.joined(separator: ", ")
  }
}

extension Level {
  fileprivate var column: StaticString {
    switch self {
    case .trace: "TRACE   "
    case .debug: "DEBUG   "
    case .info: "INFO    "
    case .notice: "NOTICE  "
    case .warning: "WARNING "
    case .error: "ERROR   "
    case .critical: "CRITICAL"
    }
  }

  fileprivate var colour: StaticString {
    switch self {
    case .trace, .debug: "\u{1B}[2m"
    case .info: "\u{1B}[32m"
    case .notice: "\u{1B}[36m"
    case .warning: "\u{1B}[33m"
    case .error: "\u{1B}[31m"
    case .critical: "\u{1B}[1;31m"
    }
  }
}
