/// Ring files as a table for people, and as objects for programs. Pure: what it shows comes in.
package struct RingsTable: Sendable {
  package var colours = false
  /// Columns of the terminal: columns of the table that have no room there are left out, those first that matter least; nil: none.
  package var width: Int?

  package init() {}

  /// The table's lines.
  ///
  /// - Parameters:
  ///   - previous: the surveys of a moment before, to tell rates from; nil: none are told.
  ///   - seconds: how long ago that was.
  ///   - now: nanoseconds since 1970.
  package func lines(
    _ surveys: [RingSurvey], previous: [RingSurvey]? = nil, seconds: Double = 1, now: UInt64
  ) -> [String] {
    let before = Dictionary((previous ?? []).map { ($0.path, $0.committed) }) { first, _ in first }
    let rows = surveys.map { survey in
      row(survey, rate: before[survey.path].map { Double(survey.committed &- $0) / seconds }, now)
    }
    var columns = Column.allCases.filter { $0 != .rate || previous != nil }
    func width(_ column: Column) -> Int {
      rows.reduce(column.title.columns) { max($0, ($1[column]?.text ?? "").columns) }
    }
    for least in Column.leastFirst where columns.reduce(-2, { $0 + width($1) + 2 }) > self.width ?? .max {
      columns.removeAll { $0 == least }
    }
    let widths = columns.map(width)
    let heading = Dictionary(uniqueKeysWithValues: columns.map { ($0, Cell($0.title, "1")) })
    return ([heading] + rows).map { line($0, columns, widths) }
  }

  /// What there is to be done, one line each.
  package func advice(_ surveys: [RingSurvey]) -> [String] {
    var lines: [String] = []
    let dead = surveys.filter { !$0.isAlive && !$0.isConsumed }
    if !dead.isEmpty { lines.append("\(dead.count) dead: run `treering recover` to write out what they left") }
    let lonely = surveys.filter { $0.isAlive && !$0.isClosed && $0.isExternal && !$0.isConsumed }
    if !lonely.isEmpty {
      lines.append("\(lonely.count) without a collector: start `treering ship`, or their rings fill up and drop")
    }
    return lines
  }

  /// One JSON object, without a line feed.
  package static func json(_ survey: RingSurvey, now: UInt64) -> String {
    """
    {"path":\(JSONText.quote(survey.path)),"program":\(JSONText.quote(survey.program)),"pid":\(survey.pid),\
    "alive":\(survey.isAlive),"closed":\(survey.isClosed),"consumed":\(survey.isConsumed),"external":\(survey.isExternal),\
    "drained_by":\(JSONText.quote(drainedBy(survey))),"rings":\(survey.rings),"capacity":\(survey.capacity),\
    "unread":\(survey.unread),"unread_bytes":\(survey.unreadBytes),"fullest":\(survey.fullest),\
    "high_water":\(survey.highWater),"committed":\(survey.committed),"dropped":\(survey.dropped),\
    "age_seconds":\(age(survey, now)),"memory":\(survey.memory)}
    """
  }

  // MARK: cells

  private enum Column: CaseIterable {
    case program, pid, state, drainedBy, rings, unread, full, peak, committed, rate, dropped, age

    var title: String {
      switch self {
      case .program: "PROGRAM"
      case .pid: "PID"
      case .state: "STATE"
      case .drainedBy: "DRAINED BY"
      case .rings: "RINGS"
      case .unread: "UNREAD"
      case .full: "FULL"
      case .peak: "PEAK"
      case .committed: "COMMITTED"
      case .rate: "PER SECOND"
      case .dropped: "DROPPED"
      case .age: "AGE"
      }
    }

    /// What is left out first where there is no room.
    static let leastFirst: [Column] = [.age, .rings, .peak, .committed, .rate, .drainedBy, .full]

    var isNumber: Bool {
      switch self {
      case .program, .state, .drainedBy: false
      default: true
      }
    }
  }

  private struct Cell {
    var text: String
    /// SGR parameters; empty for none.
    var ink: String

    init(_ text: String, _ ink: String = "") {
      self.text = text
      self.ink = ink
    }
  }

  private func row(_ survey: RingSurvey, rate: Double?, _ now: UInt64) -> [Column: Cell] {
    [
      .program: Cell(Self.cut(ConsoleView.escaped(survey.program), 32)), .pid: Cell("\(survey.pid)"),
      .state: Self.state(survey), .drainedBy: Self.drainer(survey), .rings: Cell("\(survey.rings)"),
      .unread: Cell(Self.grouped(survey.unread)), .full: Self.share(survey.fullest, survey.capacity),
      .peak: Self.share(survey.highWater, survey.capacity), .committed: Cell(Self.grouped(survey.committed)),
      .rate: Cell(rate.map { Self.grouped(UInt64(max($0, 0))) } ?? "-"),
      .dropped: Cell(Self.grouped(survey.dropped), survey.dropped > 0 ? "31" : ""),
      .age: Cell(Self.duration(seconds: Self.age(survey, now))),
    ]
  }

  private static func state(_ survey: RingSurvey) -> Cell {
    if !survey.isAlive { return Cell("dead", "31") }
    return survey.isClosed ? Cell("closed", "2") : Cell("alive", "32")
  }

  private static func drainedBy(_ survey: RingSurvey) -> String {
    guard survey.isConsumed else { return "nobody" }
    if !survey.isAlive { return "recovery" }
    return survey.isExternal ? "collector" : "own thread"
  }

  private static func drainer(_ survey: RingSurvey) -> Cell {
    Cell(drainedBy(survey), survey.isConsumed || survey.isClosed ? "" : "33")
  }

  /// A part of a ring: worth a look from a half on; at three quarters, what is below warning is dropped.
  private static func share(_ bytes: UInt64, _ capacity: UInt64) -> Cell {
    let percent = capacity == 0 ? 0 : Int((Double(bytes) / Double(capacity) * 100).rounded(.up))
    return Cell("\(percent)%", percent >= 75 ? "31" : percent >= 50 ? "33" : "")
  }

  private static func age(_ survey: RingSurvey, _ now: UInt64) -> UInt64 {
    now > survey.began ? (now - survey.began) / 1_000_000_000 : 0
  }

  // MARK: spelling

  /// `1,234,567`.
  static func grouped(_ number: UInt64) -> String {
    var digits = Array("\(number)")
    var at = digits.count - 3
    while at > 0 {
      digits.insert(",", at: at)
      at -= 3
    }
    return String(digits)
  }

  /// The two largest units: `41s`, `3m 5s`, `2h 14m`, `12d 3h`.
  static func duration(seconds: UInt64) -> String {
    switch seconds {
    case 0..<60: "\(seconds)s"
    case 60..<3600: "\(seconds / 60)m \(seconds % 60)s"
    case 3600..<86_400: "\(seconds / 3600)h \(seconds / 60 % 60)m"
    default: "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
    }
  }

  private static func cut(_ text: String, _ width: Int) -> String {
    text.columns > width ? String(text.prefix(width - 1)) + "…" : text
  }

  private func line(_ cells: [Column: Cell], _ columns: [Column], _ widths: [Int]) -> String {
    var line = ""
    var used = 0
    for (column, width) in zip(columns, widths) {
      let cell = cells[column] ?? Cell("")
      if let limit = self.width, used + width > limit { break }
      let blanks = String(repeating: " ", count: max(width - cell.text.columns, 0))
      let text = colours && !cell.ink.isEmpty ? "\u{1B}[\(cell.ink)m\(cell.text)\u{1B}[0m" : cell.text
      line += column.isNumber ? blanks + text + "  " : text + blanks + "  "
      used += width + 2
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}
