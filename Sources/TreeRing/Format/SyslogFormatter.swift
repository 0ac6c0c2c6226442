/// Syslog messages, one a line; what carries them takes the line feed off and puts its own frame around.
///
/// RFC 5424: `<12>1 2026-01-02T03:04:05.678901Z host app 4711 shop.disk [fields@32473 percent="91"][treering@32473 ring="….0" seq="41"] disk 91 % full`.
/// MSGID is the label; where that does not fit (32 characters of ASCII) the whole label is `logger` in the element `treering`. Fields are flattened
/// (``FlatFields``). 32473 is the enterprise number that RFC 5612 keeps for documentation: this library has none of its own. There is no byte order mark in front of the
/// text: receivers show it.
///
/// RFC 3164: `<12>Jan  2 03:04:05 host app[4711]: shop.disk: disk 91 % full disk=sda`; fields that the text does not show follow as logfmt. Without the
/// host where a message stays on this machine. Ring and number are left out: this is for people.
///
/// A message is never longer than `maximumBytes`. In RFC 5424 a quarter is kept for the text: fields that do not fit are left out whole, and
/// `truncated="true"` says so; then the text is cut where a character begins, and ends in `…`.
final class SyslogFormatter: Formatter {
  private let standard: SyslogOptions.Standard
  private let facility: UInt64
  private let maximumBytes: Int
  private let message: (any Formatter)?
  private let host = OutputBuffer(capacity: 256)
  private let application = OutputBuffer(capacity: 64)
  private let timestamp = Timestamp()
  private let localTimestamp = LocalTimestamp()
  private let fields = FlatFields()

  /// Bytes of the element `treering` without a label, at most.
  private static let elementBytes = 176

  /// - Parameters:
  ///   - hostname: nil leaves it out of RFC 3164's header.
  ///   - message: what spells the text, instead of text and fields in the way of the standard.
  init(
    _ options: SyslogOptions, standard: SyslogOptions.Standard, maximumBytes: Int,
    hostname: String? = HostName.current, message: (any Formatter)? = nil
  ) {
    self.standard = standard
    self.maximumBytes = maximumBytes
    self.message = message
    facility = UInt64(options.facility)
    Self.append(hostname ?? "", to: host, longest: 255)
    if standard == .rfc3164 {
      if hostname == nil { host.removeAll() } else { host.append(" ") }
      Self.append(options.application, to: application, longest: 32)
    } else {
      Self.append(options.application, to: application, longest: 48)
    }
  }

  private static func append(_ name: String, to output: OutputBuffer, longest: Int) {
    var name = name
    name.withUTF8 { unsafe output.appendSyslogName($0, longest: longest) }
  }

  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    let start = output.count
    unsafe header(context, record.level, to: output) { unsafe record.withLabel(context, $0) }
    if let message {
      return wrap(from: start, to: output) { unsafe message.append(record, context, to: output) }
    }
    if standard == .rfc5424 {
      unsafe structuredData(of: record, context, from: start, to: output)
      unsafe MessageText.append(record, to: output) { unsafe $0.appendTextEscaped($1) }
    } else {
      unsafe plainText(of: record, context, to: output)
    }
    end(from: start, to: output)
  }

  private func end(from start: Int, to output: OutputBuffer) {
    output.cut(from: start, to: maximumBytes)
    output.append("\n")
  }

  /// What `body` writes is the message; when it writes nothing, there is none.
  private func wrap(from start: Int, to output: OutputBuffer, _ body: () -> Void) {
    if standard == .rfc5424 { output.append("- ") }
    let before = output.count
    body()
    if output.count == before { return output.truncate(to: start) }
    output.truncate(to: output.count - 1)
    end(from: start, to: output)
  }

  // MARK: the header

  private func header(
    _ context: RecordContext, _ level: Level, to output: OutputBuffer,
    label: ((UnsafeBufferPointer<UInt8>) -> Void) -> Void
  ) {
    output.append("<")
    output.append(facility * 8 + level.severity)
    if standard == .rfc3164 { return unsafe oldHeader(context, to: output) }
    output.append(">1 ")
    unsafe timestamp.append(context.time, digits: 6, to: output)
    output.append(" ")
    unsafe output.append(host.bytes.assumingMemoryBound(to: UInt8.self))
    output.append(" ")
    unsafe output.append(application.bytes.assumingMemoryBound(to: UInt8.self))
    output.append(" ")
    unsafe output.append(UInt64(context.pid))
    output.append(" ")
    let before = output.count
    unsafe label { unsafe output.appendSyslogName($0, longest: Self.longestMessageID) }
    if output.count == before { output.append("-") }
    output.append(" ")
  }

  private static let longestMessageID = 32

  private func oldHeader(_ context: RecordContext, to output: OutputBuffer) {
    output.append(">")
    unsafe localTimestamp.append(context.time, to: output)
    output.append(" ")
    unsafe output.append(host.bytes.assumingMemoryBound(to: UInt8.self))
    unsafe output.append(application.bytes.assumingMemoryBound(to: UInt8.self))
    output.append("[")
    unsafe output.append(UInt64(context.pid))
    output.append("]: ")
  }

  // MARK: RFC 5424

  private func structuredData(
    of record: RecordView, _ context: RecordContext, from start: Int, to output: OutputBuffer
  ) {
    let before = output.count
    let room = start + maximumBytes * 3 / 4 - Self.elementBytes
    let isWhole = unsafe element(fieldsOf: record, upTo: room, to: output) && !record.isTruncated
    output.append("[treering@32473")
    unsafe record.withLabel(context) { label in unsafe longLabel(label, upTo: room, to: output) }
    output.append(" ring=\"")
    unsafe output.append(ring: context.ring)
    output.append("\"")
    number(" seq=\"", unsafe record.sequence, to: output)
    if unsafe context.isRecovered { output.append(" recovered=\"true\"") }
    if !isWhole { output.append(" truncated=\"true\"") }
    output.append("] ")
    dropStructuredData(from: before, unlessWithin: start + maximumBytes, to: output)
  }

  /// The element `fields`, as far as it ends before `room`. False when some are left out.
  private func element(fieldsOf record: RecordView, upTo room: Int, to output: OutputBuffer) -> Bool {
    var isWhole = true
    var isOpen = false
    unsafe fields.forEach(of: record) { field in
      let before = output.count
      output.append(isOpen ? " " : "[fields@32473 ")
      unsafe output.appendSyslogName(field.key, longest: 32, nothing: "_")
      output.append("=\"")
      unsafe structuredValue(of: field, to: output)
      output.append("\"")
      if output.count < room { isOpen = true } else { output.truncate(to: before) }
      if output.count == before { isWhole = false }
    }
    if isOpen { output.append("]") }
    return isWhole
  }

  private func structuredValue(of field: Segment, to output: OutputBuffer) {
    switch unsafe field.tag {
    case SegmentTag.string: unsafe output.appendStructuredValue(field.payload)
    case SegmentTag.duration: unsafe ValueText.appendSeconds(Int64(bitPattern: field.word), to: output)
    default: unsafe ValueText.append(field, to: output) { _, _ in }
    }
  }

  /// A label that MSGID cannot hold as it is.
  private func longLabel(_ label: UnsafeBufferPointer<UInt8>, upTo room: Int, to output: OutputBuffer) {
    let fits = unsafe label.count <= Self.longestMessageID && label.allSatisfy(Escape.plainInSyslogName)
    if fits { return }
    let before = output.count
    output.append(" logger=\"")
    unsafe output.appendStructuredValue(label)
    output.append("\"")
    if output.count >= room { output.truncate(to: before) }
  }

  private func number(_ name: StaticString, _ number: UInt64, to output: OutputBuffer) {
    output.append(name)
    output.append(number)
    output.append("\"")
  }

  /// A header so long that not even the element `treering` fits behind it: better no structured data than half of one.
  private func dropStructuredData(from before: Int, unlessWithin limit: Int, to output: OutputBuffer) {
    guard output.count > limit else { return }
    output.truncate(to: before)
    output.append("- ")
  }

  // MARK: RFC 3164

  private func plainText(of record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    unsafe record.withLabel(context) { unsafe output.appendTextEscaped($0) }
    output.append(": ")
    unsafe MessageText.append(record, to: output) { unsafe $0.appendTextEscaped($1) }
    unsafe fields.forEach(of: record, includingText: false) { field in
      output.append(" ")
      unsafe output.appendLogfmtName(field.key)
      output.append("=")
      unsafe output.appendLogfmtValue(of: field)
    }
    if unsafe record.isTruncated { output.append(" …") }
  }

  // MARK: notices

  func append(_ notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer) {
    let start = output.count
    let name: StaticString = "treering"
    let label = unsafe UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    unsafe header(context, notice.level, to: output) { unsafe $0(label) }
    if let message {
      return wrap(from: start, to: output) { unsafe message.append(notice, context, to: output) }
    }
    if standard == .rfc5424 { unsafe structuredData(of: notice, context, to: output) }
    if standard == .rfc3164 { output.append("treering: ") }
    output.append(notice.message)
    if standard == .rfc3164 { output.appendLogfmt(notice) { timestamp.append($0, digits: 6, to: output) } }
    end(from: start, to: output)
  }

  private func structuredData(of notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer) {
    output.append("[fields@32473")
    for (name, value) in notice.flatFields {
      output.append(string: " \(name)=\"")
      switch value {
      case .number(let number): output.append(number)
      case .time(let time): timestamp.append(time, digits: 6, to: output)
      case .text(var text): text.withUTF8 { unsafe output.appendStructuredValue($0) }
      case .counts: break
      }
      output.append("\"")
    }
    output.append("][treering@32473")
    output.append(" ring=\"")
    unsafe output.append(ring: context.ring)
    output.append("\"")
    if let sequence = notice.sequence { number(" seq=\"", sequence, to: output) }
    if unsafe context.isRecovered { output.append(" recovered=\"true\"") }
    output.append("] ")
  }
}

extension Level {
  /// RFC 5424, section 6.2.1.
  var severity: UInt64 {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}
