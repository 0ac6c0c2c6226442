/// Entries for systemd's journal, one a line, which `JournalSink` turns into datagrams of the native protocol.
///
/// A line is `NAME=value` pairs, each but the first with a byte 0xFF in front; a line feed inside a value is a byte 0xFE. Neither occurs in UTF-8, and values are
/// made valid UTF-8 here, so the line feed at the end is the only one. Control characters stay as they are: the journal is no text file, and
/// `journalctl` escapes what it shows.
///
/// `MESSAGE` is the text, `PRIORITY` the severity, `SYSLOG_IDENTIFIER` the program, `LOGGER` the label (`NS` of a debug channel), and then `TREERING_TIME`,
/// `TREERING_RING`, `TREERING_SEQ`. Each field is a variable in upper case: what is no letter or digit becomes `_`, `X` goes in front where journald takes no such
/// beginning, a name that is taken gets a trailing `_`. `source.file`, `source.line` and `source.function` are `CODE_FILE`, `CODE_LINE` and `CODE_FUNC`.
final class JournalFormatter: Formatter {
  private let timestamp = Timestamp()
  private let fields = FlatFields()
  private let names = NameSet(reserving: .journal)
  private let identifier = OutputBuffer(capacity: 64)
  private let facility: Int
  private let message: (any Formatter)?

  static let separator: UInt8 = 0xFF
  static let lineFeed: UInt8 = 0xFE
  /// journald's own limit on names.
  static let longestName = 64

  /// - Parameter message: what spells `MESSAGE` instead of the text alone.
  init(_ options: SyslogOptions, message: (any Formatter)? = nil) {
    self.message = message
    facility = options.facility
    let identifier = identifier
    var name = options.application
    name.withUTF8 { unsafe identifier.appendJournalValue($0) }
  }

  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer) {
    output.append("MESSAGE=")
    if let message {
      unsafe message.append(record, context, to: output)
      output.truncate(to: output.count - 1)
    } else {
      unsafe MessageText.append(record, to: output) { unsafe $0.appendJournalValue($1) }
    }
    unsafe origin(context, record.level, sequence: record.sequence, to: output)
    begin(unsafe record.isChannel ? "NS=" : "LOGGER=", to: output)
    unsafe record.withLabel(context) { unsafe output.appendJournalValue($0) }
    let isWhole = unsafe append(fieldsOf: record, to: output)
    if unsafe record.isTruncated || !isWhole { begin("TREERING_TRUNCATED=true", to: output) }
    output.append("\n")
  }

  private func begin(_ name: StaticString, to output: OutputBuffer) {
    output.append(Self.separator)
    output.append(name)
  }

  private func origin(_ context: RecordContext, _ level: Level, sequence: UInt64?, to output: OutputBuffer) {
    begin("PRIORITY=", to: output)
    output.append(level.severity)
    begin("SYSLOG_FACILITY=", to: output)
    output.append(UInt64(facility))
    begin("SYSLOG_IDENTIFIER=", to: output)
    unsafe output.append(identifier.bytes.assumingMemoryBound(to: UInt8.self))
    begin("SYSLOG_PID=", to: output)
    unsafe output.append(UInt64(context.pid))
    begin("TREERING_TIME=", to: output)
    unsafe timestamp.append(context.time, digits: 9, to: output)
    if unsafe context.isRecovered { begin("TREERING_RECOVERED=true", to: output) }
    begin("TREERING_RING=", to: output)
    unsafe output.append(ring: context.ring)
    guard let sequence else { return }
    begin("TREERING_SEQ=", to: output)
    output.append(sequence)
  }

  /// False when a name could not be told apart from others.
  private func append(fieldsOf record: RecordView, to output: OutputBuffer) -> Bool {
    var isWhole = true
    names.removeAll(allowingPID: false)
    unsafe fields.forEach(of: record) { field in
      let before = output.count
      output.append(Self.separator)
      unsafe output.appendJournalName(field.key)
      guard names.settle(from: before + 1, in: output), output.count - before <= Self.longestName + 1 else {
        output.truncate(to: before)
        isWhole = false
        return
      }
      output.append("=")
      unsafe value(of: field, to: output)
    }
    return isWhole
  }

  private func value(of field: Segment, to output: OutputBuffer) {
    switch unsafe field.tag {
    case SegmentTag.string: unsafe output.appendJournalValue(field.payload)
    case SegmentTag.duration: unsafe ValueText.appendSeconds(Int64(bitPattern: field.word), to: output)
    default: unsafe ValueText.append(field, to: output) { _, _ in }
    }
  }

  func append(_ notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer) {
    output.append("MESSAGE=")
    output.append(notice.message)
    unsafe origin(context, notice.level, sequence: notice.sequence, to: output)
    begin("LOGGER=treering", to: output)
    for (name, value) in notice.flatFields {
      var name = name
      output.append(Self.separator)
      name.withUTF8 { unsafe output.appendJournalName($0) }
      output.append("=")
      switch value {
      case .number(let number): output.append(number)
      case .time(let time): timestamp.append(time, digits: 9, to: output)
      case .text(var text): text.withUTF8 { unsafe output.appendJournalValue($0) }
      case .counts: break
      }
    }
    output.append("\n")
  }
}

extension OutputBuffer {
  /// Any bytes as a value in a line of `JournalFormatter`.
  func appendJournalValue(_ bytes: UnsafeBufferPointer<UInt8>) {
    var runStart = 0
    var index = 0
    while index < bytes.count {
      let byte = unsafe bytes[index]
      let length =
        byte < 0x80 ? (byte == UInt8(ascii: "\n") ? 0 : 1) : unsafe UTF8Check.lengthOfCharacter(in: bytes, at: index)
      if length == 0 {
        unsafe append(UnsafeBufferPointer(rebasing: bytes[runStart..<index]))
        if byte < 0x80 { append(JournalFormatter.lineFeed) } else { append("\u{FFFD}" as StaticString) }
        runStart = index + 1
      }
      index += max(length, 1)
    }
    unsafe append(UnsafeBufferPointer(rebasing: bytes[runStart...]))
  }

  /// Any bytes as a variable's name: upper-case letters, digits and `_`, a letter first, short enough that something can be added.
  func appendJournalName(_ bytes: UnsafeBufferPointer<UInt8>) {
    if let code = unsafe JournalName.code(bytes) { return append(code) }
    for index in 0..<min(bytes.count, JournalFormatter.longestName - 8) {
      let byte = unsafe JournalName.character(bytes[index])
      if index == 0, !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) { append(UInt8(ascii: "X")) }
      append(byte)
    }
  }
}

private enum JournalName {
  static func character(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 32
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
    default: UInt8(ascii: "_")
    }
  }

  /// systemd's own names for a place in the source.
  static func code(_ name: UnsafeBufferPointer<UInt8>) -> StaticString? {
    guard name.count >= 11 else { return nil }
    if unsafe equal(name, "source.file") { return "CODE_FILE" }
    if unsafe equal(name, "source.line") { return "CODE_LINE" }
    return unsafe equal(name, "source.function") ? "CODE_FUNC" : nil
  }

  private static func equal(_ name: UnsafeBufferPointer<UInt8>, _ other: StaticString) -> Bool {
    guard name.count == other.utf8CodeUnitCount, let start = name.baseAddress else { return false }
    return unsafe start.matches(UnsafeRawBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount))
  }
}
