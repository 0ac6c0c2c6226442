/// Tells an account to people, and to programs (`AccountReport+JSON.swift`). Problems come first, each with what to do next; the six numbers come last.
struct AccountReport {
  let verdict: AccountVerdict
  let files: [String]
  let live: Bool
  /// Last lines that are being written, where that is no failure.
  let cutLines: [LinePlace]

  init(_ verdict: AccountVerdict, files: [String], live: Bool, cutLines: [LinePlace]) {
    self.verdict = verdict
    self.files = files
    self.live = live
    self.cutLines = cutLines
  }

  /// Problems that are listed; the rest is only counted.
  static let listedProblems = 100

  /// The report, line by line.
  ///
  /// - Parameter verbose: with a row for every process, not only for those with problems.
  func text(verbose: Bool) -> [String] {
    var lines: [String] = []
    let problems = problems
    for problem in problems.prefix(Self.listedProblems) { lines += [problem.text, "  next: \(problem.next)"] }
    if problems.count > Self.listedProblems {
      lines.append("… and \(problems.count - Self.listedProblems) more problems")
    }
    for place in cutLines { lines.append("note: \(spell(place)) is being written, or was cut") }
    lines += table(verbose: verbose)
    lines.append(summary)
    lines.append(verdict.totals.line)
    return lines
  }

  private var summary: String {
    let rings = verdict.processes.reduce(0) { $0 + $1.rings.count }
    var text = "\(verdict.lines) lines in \(files.count) files: \(verdict.processes.count) processes, \(rings) rings"
    if verdict.foreign > 0 { text += ", \(verdict.foreign) lines of no ring" }
    if verdict.filtered > 0 { text += ", \(verdict.filtered) records left out by the sink's level or labels" }
    if verdict.malformed > 0 { text += ", \(verdict.malformed) malformed" }
    if verdict.contradictions > 0 { text += ", \(verdict.contradictions) contradictions" }
    return text + (rings == 0 ? "; there is nothing to verify" : "")
  }

  func spell(_ place: LinePlace) -> String { "\(files[place.file]):\(place.line)" }

  // MARK: the table

  private func table(verbose: Bool) -> [String] {
    let shown = verdict.processes.filter { verbose || $0.hasProblem(live: live) }
    guard !shown.isEmpty else { return [] }
    var rows = [["STREAM", "PID", "RINGS", "EMITTED", "DELIVERED", "DROPPED", "LOST", "DUPLICATED", "OPEN"]]
    for process in shown {
      let numbers = process.totals.named.map { "\($0.number)" }
      rows.append(["\(process.stream)", process.pid.map { "\($0)" } ?? "?", process.ringsSpelled] + numbers)
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.indices.map { Self.pad(row[$0], widths[$0], isLeft: $0 == 0) }.joined(separator: "  ")
    }
  }

  private static func pad(_ text: String, _ width: Int, isLeft: Bool) -> String {
    let blanks = String(repeating: " ", count: width - text.count)
    return isLeft ? text + blanks : blanks + text
  }
}

extension AccountTotals {
  /// The last line of the report, which scripts read.
  package var line: String { named.map { "\($0.name) \($0.number)" }.joined(separator: " ") }

  /// The numbers with their names, in the order of the report.
  var named: [(name: String, number: UInt64)] {
    [
      ("emitted", emitted), ("delivered", delivered), ("dropped", dropped), ("lost", lost),
      ("duplicated", duplicated), ("open", open),
    ]
  }
}

extension ProcessVerdict {
  func hasProblem(live: Bool) -> Bool {
    totals.lost > 0 || totals.duplicated > 0 || !contradictions.isEmpty || (totals.open > 0 && !live)
      || rings.contains { !$0.contradictions.isEmpty }
  }

  /// Seen, and of how many.
  var ringsSpelled: String { closedRings.map { "\(rings.count)/\($0)" } ?? "\(rings.count)" }
}
