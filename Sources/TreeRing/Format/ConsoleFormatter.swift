/// For people: `03:04:05.678 INFO  shop.checkout  order 17 placed  order.id=17`, coloured on a terminal.
///
/// Debug channels look as npm's `debug` prints them: on a terminal two blanks, the coloured name, the message; elsewhere an ISO date, the name, the message.
/// Records about the stream's own bookkeeping are left out, but for drops.
final class ConsoleFormatter: Formatter {
  private let colours: Bool
  private var timestamp = Timestamp()

  init(colours: Bool) { self.colours = colours }

  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    if unsafe record.isChannel {
      unsafe channel(record, context, to: output)
    } else {
      unsafe line(time: context.time, level: record.level, to: output)
      unsafe label(of: record, context, to: output)
      output.append("  ")
      unsafe text(of: record, to: output)
    }
    unsafe fields(of: record, to: output)
    if unsafe record.isTruncated { output.append("  (truncated)") }
    output.append("\n")
  }

  private func line(time: UInt64, level: Level, to output: OutputBuffer) {
    paint("\u{1B}[2m", output)
    append(time, to: output)
    paint("\u{1B}[0m", output)
    output.append(" ")
    paint(level.colour, output)
    output.append(level.column)
    paint("\u{1B}[0m", output)
    output.append(" ")
  }

  /// Copied out and in: whole reads and writes of a property need no check for exclusive access.
  private func append(_ time: UInt64, to output: OutputBuffer) {
    var timestamp = timestamp
    timestamp.append(time, digits: 3, to: output)
    self.timestamp = timestamp
  }

  private func paint(_ code: StaticString, _ output: OutputBuffer) {
    if colours { output.append(code) }
  }

  private func label(of record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    if let label = unsafe context.label {
      unsafe output.appendTextEscaped(label.assumingMemoryBound(to: UInt8.self))
    } else {
      unsafe record.withCarriedLabel { unsafe output.appendTextEscaped($0) }
    }
  }

  private func channel(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    if colours {
      output.append("  ")
      unsafe output.append(channelColour(record, context))
      unsafe label(of: record, context, to: output)
      output.append(" \u{1B}[0m")
    } else {
      unsafe append(context.time, to: output)
      output.append(" ")
      unsafe label(of: record, context, to: output)
      output.append(" ")
    }
    unsafe text(of: record, to: output)
  }

  private func channelColour(_ record: RecordView, _ context: RecordContext) -> String {
    let name = unsafe String(decoding: context.label ?? UnsafeRawBufferPointer(start: nil, count: 0), as: UTF8.self)
    return "\u{1B}[3\(DebugColor(for: name, in: .basic).code);1m"
  }

  private func text(of record: RecordView, to output: OutputBuffer) {
    unsafe MessageText.append(record, to: output) { unsafe output.appendTextEscaped($0) }
  }

  private func fields(of record: RecordView, to output: OutputBuffer) {
    var reader = unsafe record.reader
    var depth = 0
    var isFirst = false
    while let segment = unsafe reader.next() {
      if unsafe segment.tag == SegmentTag.end { depth = max(depth - 1, 0) }
      // A value that the text shows already is not repeated.
      if unsafe segment.tag == SegmentTag.end {
        if unsafe segment.isFieldOnly { output.append("]") }
      } else if unsafe segment.isFieldOnly {
        if !isFirst { output.append(depth == 0 ? "  " : " ") }
        if unsafe segment.key.count > 0 {
          paint("\u{1B}[36m", output)
          unsafe output.appendTextEscaped(segment.key)
          paint("\u{1B}[0m", output)
          output.append("=")
        }
        unsafe ValueText.append(segment, to: output) { unsafe output.appendTextEscaped($0) }
      }
      isFirst = unsafe segment.opens
      if isFirst { depth += 1 }
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
    case .processClosed, .ringClosed: return
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
