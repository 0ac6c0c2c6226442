/// Shows records to a person: `03:04:05.678 INFO     shop.checkout  order 17 placed  order.id=17`, in columns that stay where they are.
///
/// Every byte of a record is escaped, so that none of them steers the terminal. Keeps what it needs of the lines before: the day, the width of the columns,
/// when each channel spoke last. One thread at a time.
package struct ConsoleView {
  /// How it looks.
  package struct Style: Sendable {
    /// Whether, and in how many colours.
    package var colours = Colours.none
    /// Columns of the terminal, to wrap lines below the message; nil: lines are as long as they are.
    package var width: Int?
    package var time = TimeColumn.full
    /// Whether each line has the process's number.
    package var showsPID = false
    /// Whether each line ends with the time since the previous one of its label.
    package var showsIntervals = false
    /// Whether fields are shown whose value the text has already.
    package var showsAllFields = false

    package init() {}
  }

  package enum Colours: Sendable {
    case none
    /// The six that every terminal has.
    case basic
    /// Those of 256 that are readable on light and dark.
    case extended
  }

  package enum TimeColumn: String, Sendable, CaseIterable {
    /// Hours to milliseconds; a line of its own tells of each new day.
    case clock
    /// RFC 3339.
    case full
    case none
  }

  package var style: Style
  private var day: UInt64?
  private var labelWidth = 8
  private var spoken: [String: UInt64] = [:]
  private let timestamp = Timestamp()

  private static let widestLabel = 24
  /// Labels whose last time is kept; a program that makes them up as it goes does not fill the memory.
  private static let mostLabels = 10_000

  package init(_ style: Style) { self.style = style }

  /// Makes the columns wide enough for items that come together, so that they do not move in the middle of them.
  package mutating func prepare(for items: [ViewItem]) {
    for case .record(let record) in items { widen(for: record.log.label) }
  }

  private mutating func widen(for label: String) {
    labelWidth = max(labelWidth, min(Self.escaped(label).columns, Self.widestLabel))
  }

  /// Appends the line, or lines, of an item.
  package mutating func append(_ item: ViewItem, to output: OutputBuffer) {
    switch item {
    case .record(let record):
      if Self.isBookkeeping(record.log) { return }
      beginDay(record.log.nanosecondsSince1970, output)
      append(record, to: output)
    case .line(let line, _):
      unsafe line.withUnsafeBufferPointer { unsafe output.appendTextEscaped($0) }
      output.append("\n")
    case .notice(let notice):
      beginDay(notice.time, output)
      append(notice, to: output)
    }
  }

  /// The closing records of rings and processes, which prove that nothing is missing, say nothing to a person.
  private static func isBookkeeping(_ log: RecordedLog) -> Bool {
    log.label == "treering" && (log.message == "ring closed" || log.message == "process closed")
  }

  private mutating func beginDay(_ time: UInt64, _ output: OutputBuffer) {
    guard style.time == .clock, time / 86_400_000_000_000 != day else { return }
    day = time / 86_400_000_000_000
    output.append(string: paint("── \(dateAndTime(time).prefix(10)) (UTC) ──", .faint) + "\n")
  }

  private mutating func append(_ notice: ViewNotice, to output: OutputBuffer) {
    let subject = Self.escaped(notice.subject) + (notice.pid.map { " \($0)" } ?? "")
    var flow = Flow(width: style.width)
    flow.fixed(timeColumn(notice.time), timeWidth)
    flow.beginText()
    flow.words("── \(subject) \(Self.escaped(notice.text))") { paint($0, .level(notice.level)) }
    output.append(string: flow.text + "\n")
  }

  private mutating func append(_ record: ViewedRecord, to output: OutputBuffer) {
    let log = record.log
    let label = Self.escaped(log.label)
    var flow = Flow(width: style.width)
    flow.fixed(timeColumn(log.nanosecondsSince1970), timeWidth)
    flow.fixed(paint(log.level.name.uppercased().padded(to: 8), .level(log.level)) + " ", 9)
    if style.showsPID { flow.fixed(paint((record.pid.map { "\($0)" } ?? "").padded(to: 7), .faint) + " ", 8) }
    widen(for: log.label)
    let labelColumn = label.padded(to: labelWidth)
    flow.fixed(paint(labelColumn, .label(label, isBold: log.isDebugChannel)) + "  ", labelColumn.columns + 2)
    flow.beginText()
    text(log, &flow)
    for field in log.fields where style.showsAllFields || !Self.isShown(field, in: log.message) {
      show(field, &flow)
    }
    if log.isTruncated { flow.field(paint("(its end is missing)", .faint), "") }
    if style.showsIntervals, let interval = interval(log) {
      flow.field(paint("+\(interval)", .label(label, isBold: false)), "")
    }
    output.append(string: flow.text + "\n")
  }

  private func show(_ field: RecordedLog.Field, _ flow: inout Flow) {
    let key = paint(Self.escaped(field.key) + "=", field.key.hasPrefix("error.") ? .level(.error) : .key)
    let value = Self.value(field.value)
    // The frames of a crash, for instance: nobody can read them one behind the other.
    if case .array(let elements) = field.value, !elements.isEmpty, !flow.fitsOnALine(key, value) {
      flow.list(key, elements.map { Self.escaped($0.description) })
    } else {
      flow.field(key, value)
    }
  }

  private func text(_ log: RecordedLog, _ flow: inout Flow) {
    // On a terminal a line feed begins a line below the message; elsewhere a record stays one line.
    let lines =
      style.width == nil
      ? [Substring(log.message)] : log.message.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if index > 0 { flow.newLine() }
      flow.words(Self.escaped(String(line)), paint: { log.level == .critical ? paint($0, .bold) : $0 })
    }
    // What follows belongs to the record, and not to the last line of a stack.
    if lines.count > 1, !log.fields.isEmpty { flow.newLine() }
  }

  // MARK: columns

  private var timeWidth: Int {
    switch style.time {
    case .clock: 13
    case .full: 25
    case .none: 0
    }
  }

  private mutating func timeColumn(_ time: UInt64) -> String {
    switch style.time {
    case .clock: paint(String(dateAndTime(time).dropFirst(11).dropLast()), .faint) + " "
    case .full: paint(dateAndTime(time), .faint) + " "
    case .none: ""
    }
  }

  private mutating func dateAndTime(_ time: UInt64) -> String {
    let output = OutputBuffer(capacity: 32)
    timestamp.append(time, digits: 3, to: output)
    return unsafe String(decoding: output.bytes, as: UTF8.self)
  }

  /// Since the previous line of the label; nil for its first.
  private mutating func interval(_ log: RecordedLog) -> DebugInterval? {
    let previous = spoken[log.label]
    if previous != nil || spoken.count < Self.mostLabels { spoken[log.label] = log.nanosecondsSince1970 }
    guard let previous else { return nil }
    let passed = Int64(bitPattern: log.nanosecondsSince1970 &- previous)
    return DebugInterval(milliseconds: max(passed, 0) / 1_000_000)
  }

  /// Whether a person reads the value in the text already. A record of a ring says so; for a line of JSON, the value stands in the text as a word. A short one may stand there by chance.
  private static func isShown(_ field: RecordedLog.Field, in message: String) -> Bool {
    if field.isInMessage { return true }
    let text = field.value.description
    guard text.utf8.count >= 3, let found = message.firstRange(of: text) else { return false }
    let before = message[..<found.lowerBound].last
    let after = message[found.upperBound...].first
    return [before, after].allSatisfy { $0.map { !$0.isLetter && !$0.isNumber } ?? true }
  }

  /// A string with blanks, or none, in quotes.
  private static func value(_ value: RecordedValue) -> String {
    guard case .string(let text) = value, text.isEmpty || text.contains(where: { $0 == " " || $0 == "\"" }) else {
      return escaped(value.description)
    }
    return JSONText.quote(text)
  }

  static func escaped(_ text: String) -> String {
    let output = OutputBuffer(capacity: text.utf8.count + 16)
    var text = text
    text.withUTF8 { unsafe output.appendTextEscaped($0) }
    return unsafe String(decoding: output.bytes, as: UTF8.self)
  }

  // MARK: colours

  private enum Ink {
    case faint
    case bold
    case key
    case level(Level)
    case label(String, isBold: Bool)
  }

  private func paint(_ text: String, _ ink: Ink) -> String {
    guard style.colours != .none, !text.isEmpty else { return text }
    return "\u{1B}[\(code(ink))m\(text)\u{1B}[0m"
  }

  private func code(_ ink: Ink) -> String {
    switch ink {
    case .faint: "2"
    case .bold: "1"
    case .key: "36"
    case .level(let level): level.ink
    case .label(let label, let isBold):
      style.colours == .extended
        ? "38;5;\(DebugColor(for: label, in: .extended).code)\(isBold ? ";1" : "")"
        : "3\(DebugColor(for: label, in: .basic).code)\(isBold ? ";1" : "")"
    }
  }
}

extension Level {
  /// The colour, as a terminal's SGR parameters: readable on light and dark.
  fileprivate var ink: String {
    switch self {
    case .trace, .debug: "2"
    case .info: "32"
    case .notice: "36"
    case .warning: "33"
    case .error: "31"
    case .critical: "1;97;41"
    }
  }
}

/// A line under way, wrapped below the beginning of its text.
private struct Flow {
  private(set) var text = ""
  private var column = 0
  private var indent = 0
  private let width: Int?

  /// Where what has no room below the text begins.
  private static let leftmost = 4

  init(width: Int?) { self.width = width }

  /// A piece that is never wrapped, `columns` wide.
  mutating func fixed(_ piece: String, _ columns: Int) {
    text += piece
    column += columns
  }

  mutating func beginText() {
    guard let width else { return }
    indent = column <= width / 2 ? column : Self.leftmost
  }

  mutating func newLine() {
    text += "\n" + String(repeating: " ", count: indent)
    column = indent
  }

  /// A line for a piece that is not divided: further to the left when it has no room below the text.
  private mutating func newLine(holding columns: Int) {
    let outer = indent
    if let width, indent + columns > width { indent = min(indent, Self.leftmost) }
    newLine()
    indent = outer
  }

  /// Words divided by blanks, which stay as they are where no line ends.
  mutating func words(_ words: String, paint: (String) -> String) {
    guard width != nil else { return fixed(paint(words), 0) }
    for (index, word) in words.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
      let isFirst = index == 0
      let columns = word.columns
      if !isFirst, wraps(columns + 1) { newLine() } else if !isFirst { fixed(" ", 1) }
      fixed(paint(String(word)), columns)
    }
  }

  /// Something behind the text, two blanks away from what is before it.
  mutating func field(_ key: String, _ value: String) {
    let columns = key.withoutPaint.columns + value.columns
    if wraps(columns + 2) { newLine(holding: columns) } else if column != indent || width == nil { fixed("  ", 2) }
    fixed(key + value, columns)
  }

  /// Whether something behind the text has room on a line of its own; always, where lines are as long as they are.
  func fitsOnALine(_ key: String, _ value: String) -> Bool {
    guard let width else { return true }
    return Self.leftmost + key.withoutPaint.columns + value.columns <= width
  }

  /// Several things under one key, each on a line of its own, or more: all the way across, for they are long.
  mutating func list(_ key: String, _ elements: [String]) {
    let outer = indent
    indent = Self.leftmost
    newLine()
    text += key
    indent += 2
    for element in elements {
      newLine()
      words(element) { $0 }
    }
    indent = outer
    // What follows begins a line.
    column = width ?? 0
  }

  private func wraps(_ columns: Int) -> Bool {
    guard let width else { return false }
    return column + columns > width && column > indent
  }
}

extension StringProtocol {
  /// How many columns of a terminal the text takes: two for characters of East Asia and pictures, none for marks that join the one before.
  var columns: Int { unicodeScalars.reduce(0) { $0 + $1.columns } }

  fileprivate func padded(to width: Int) -> String {
    String(self) + String(repeating: " ", count: Swift.max(width - columns, 0))
  }

  fileprivate var withoutPaint: String {
    guard contains("\u{1B}") else { return String(self) }
    return split(separator: "\u{1B}").map { $0.first == "[" ? String($0.drop { $0 != "m" }.dropFirst()) : String($0) }
      .joined()
  }
}

extension Unicode.Scalar {
  fileprivate var columns: Int {
    switch value {
    case 0..<0x300: 1
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      2
    default:
      switch properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .format: 0
      default: 1
      }
    }
  }
}
