/// For people: `03:04:05.678 INFO  shop.checkout  order 17 placed  order.id=17`, coloured on a terminal.
///
/// Debug channels look as npm's `debug` prints them (``DebugStyle``): on a terminal two blanks, the coloured name, the message, the time since the channel's previous line;
/// elsewhere an ISO date, the name, the message.
/// Records about the stream's own bookkeeping are left out, but for drops.
///
/// A text of several lines keeps them: each one behind the first is indented by four blanks, so that no text can make up a line that looks like a record of its own.
/// Fields are flattened (``FlatFields``), their values quoted as in logfmt where they would run into the next.
final class ConsoleFormatter: Formatter {
  let colours: Bool
  let timestamp = Timestamp()
  let lead: LevelPieces

  private let isMultiline: Bool
  private let flat = FlatFields()
  private let debug: DebugStyle
  private var intervals = DebugIntervals()

  /// - Parameters:
  ///   - isMultiline: false shows a line feed as `\n`, for destinations where a line feed ends the record.
  ///   - debug: how lines of debug channels look; nil: as the environment says, and plain where a line feed ends the record.
  init(colours: Bool, isMultiline: Bool = true, debug: DebugStyle? = nil) {
    self.colours = colours
    self.isMultiline = isMultiline
    self.debug = debug ?? (isMultiline ? DebugStyle(colours: colours) : .plain)
    lead = LevelPieces { level, output in
      output.append("Z")
      Self.paint(level, colours, output)
    }
  }

  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    if unsafe !appendPlanned(record, context, to: output) { unsafe appendAny(record, context, to: output) }
  }

  /// Any record at all.
  func appendAny(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    let seen: MessageText.Seen
    var voice: Voice?
    if unsafe record.isChannel {
      voice = debug.palette.map { unsafe Voice(record, context, $0) }
      seen = unsafe channel(record, context, voice, to: output)
    } else {
      unsafe line(time: context.time, level: record.level, to: output)
      unsafe label(of: record, context, to: output)
      output.append("  ")
      seen = unsafe text(of: record, to: output)
    }
    if seen.hasFields { unsafe fields(of: record, to: output) }
    if unsafe record.isTruncated { output.append("  (truncated)") }
    if unsafe context.isRecovered { output.append("  (recovered)") }
    if let voice { unsafe interval(voice, at: context.time, to: output) }
    output.append("\n")
  }

  private func line(time: UInt64, level: Level, to output: OutputBuffer) {
    paint(Self.faint, output)
    timestamp.append(time, digits: 3, to: output)
    Self.paint(level, colours, output)
  }

  /// What begins the line when there are colours.
  static let faint: StaticString = "\u{1B}[2m"

  /// What stands between the time and the label.
  private static func paint(_ level: Level, _ colours: Bool, _ output: OutputBuffer) {
    if colours { output.append("\u{1B}[0m") }
    output.append(" ")
    if colours { output.append(level.colour) }
    output.append(level.column)
    if colours { output.append("\u{1B}[0m") }
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

  /// The name of a channel, and its colour.
  private struct Voice {
    let name: String
    let colour: String

    init(_ record: RecordView, _ context: RecordContext, _ palette: DebugColor.Palette) {
      var name = ""
      unsafe record.withLabel(context) { unsafe name = String(decoding: $0, as: UTF8.self) }
      self.name = name
      colour = DebugColor(for: name, in: palette).escape
    }
  }

  /// With colours each line of the text has the name in front, as npm's has.
  private func channel(
    _ record: RecordView, _ context: RecordContext, _ voice: Voice?, to output: OutputBuffer
  ) -> MessageText.Seen {
    guard let voice else {
      if !debug.hidesDate {
        unsafe timestamp.append(context.time, digits: 3, to: output)
        output.append(" ")
      }
      unsafe label(of: record, context, to: output)
      output.append(" ")
      return unsafe text(of: record, to: output)
    }
    let start = output.count
    output.append("  \u{1B}[")
    output.append(string: voice.colour)
    output.append(";1m")
    unsafe label(of: record, context, to: output)
    output.append(" \u{1B}[0m")
    return unsafe text(of: record, to: output, prefix: start..<output.count)
  }

  /// The time since the channel's previous line.
  private func interval(_ voice: Voice, at time: UInt64, to output: OutputBuffer) {
    output.append(" \u{1B}[")
    output.append(string: voice.colour)
    output.append("m+")
    output.append(string: intervals.interval(of: voice.name, at: time).description)
    output.append("\u{1B}[0m")
  }

  /// The text; what stands at `prefix` in the output, or blanks, begins each line behind its first.
  @inline(__always)
  private func text(
    of record: RecordView, to output: OutputBuffer, prefix: Range<Int>? = nil
  ) -> MessageText.Seen {
    unsafe MessageText.append(record, to: output) { unsafe escape($1, to: $0, prefix: prefix) }
  }

  /// Bytes of the text.
  @inline(__always)
  func escape(_ bytes: UnsafeBufferPointer<UInt8>, to output: OutputBuffer, prefix: Range<Int>? = nil) {
    if unsafe Escape.isPlainText(bytes) {
      unsafe output.append(bytes)
    } else if isMultiline, unsafe bytes.contains(UInt8(ascii: "\n")) {
      unsafe Self.lines(bytes, to: output, prefix: prefix)
    } else {
      unsafe output.appendTextEscaped(bytes)
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
  func fields(of record: RecordView, to output: OutputBuffer) {
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
    case .lost(let byLevel, let count, _, _):
      counts = "\(DropCause.noRing): \(byLevel.isEmpty ? "\(count)" : Self.list(byLevel))"
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
