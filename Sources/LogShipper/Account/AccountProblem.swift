/// One thing that is wrong with an archive, and what to do about it.
struct AccountProblem {
  let kind: Kind
  /// What is wrong, where.
  let text: String
  let next: String

  enum Kind: String {
    case malformed, lost, duplicated, open, contradiction
  }

  init(_ kind: Kind, _ text: String, next: String) {
    self.kind = kind
    self.text = "\(kind.rawValue): \(text)"
    self.next = next
  }
}

extension AccountReport {
  /// All problems: lines first, then process by process.
  var problems: [AccountProblem] {
    var problems = verdict.malformedLines.map {
      AccountProblem(
        .malformed, "\(spell($0.place)): \($0.reason)",
        next:
          "look at it: sed -n \($0.place.line)p \(files[$0.place.file]); a cut line is where writing was interrupted")
    }
    let more = verdict.malformed - UInt64(verdict.malformedLines.count)
    if more > 0 {
      problems.append(AccountProblem(.malformed, "\(more) more lines", next: "is this a file of JSON records at all?"))
    }
    for process in verdict.processes where process.hasProblem(live: live) {
      problems += self.problems(of: process)
      for ring in process.rings { problems += self.problems(of: ring) }
    }
    return problems
  }

  private static let otherFiles =
    "name every file of the archive; if the program died, run treering recover and verify again; else these lines are gone"
  private static let repeated = "a file given twice, a copied line, or a batch sent again: keep one of them"
  private static let openStream =
    "while the program runs, use --live; if it died, run treering recover; else the end of the archive is missing"
  private static let altered = "the archive has been altered, or two archives were mixed: compare with the original"

  private func problems(of process: ProcessVerdict) -> [AccountProblem] {
    var problems: [AccountProblem] = []
    let who = "process \(process.stream)\(Self.spell(process.pid))"
    if process.unseen > 0, let rings = process.closedRings {
      let text = "\(who): nothing is there of \(process.unseen) of its \(rings) rings, not even a closing record"
      problems.append(AccountProblem(.lost, text, next: Self.otherFiles))
    } else if process.unseen > 0, !live {
      let text = "\(who): nothing is there of \(process.unseen) rings that come before others"
      problems.append(AccountProblem(.open, text, next: Self.openStream))
    }
    if process.isOpen, !live {
      problems.append(AccountProblem(.open, "\(who): its closing record is missing", next: Self.openStream))
    }
    if process.missingDrops > 0 {
      let text = "\(who): notices of \(process.missingDrops) calls that found no ring"
      problems.append(AccountProblem(.lost, text, next: Self.otherFiles))
    }
    problems += duplicates(process.duplicates, "\(who): a notice of calls that found no ring is repeated")
    problems += process.contradictions.map { contradiction(who, $0) }
    return problems
  }

  private func problems(of ring: RingVerdict) -> [AccountProblem] {
    var problems: [AccountProblem] = []
    let who = "ring \(ring.name)\(Self.spell(ring.pid))"
    if ring.missingRecords > 0 {
      problems.append(AccountProblem(.lost, "\(who): \(Self.spellMissing(ring))", next: Self.otherFiles))
    }
    if ring.missingDrops > 0 {
      let text = "\(who): notices of \(ring.missingDrops) dropped records"
      problems.append(AccountProblem(.lost, text, next: Self.otherFiles))
    }
    problems += duplicates(ring.duplicates, "\(who): seq \(ring.duplicates.number) is repeated")
    problems += duplicates(ring.duplicateDrops, "\(who): a notice of drops is repeated")
    if ring.totals.open > 0, !live {
      problems.append(AccountProblem(.open, "\(who): its closing record is missing", next: Self.openStream))
    }
    problems += ring.contradictions.map { contradiction(who, $0) }
    return problems
  }

  private func duplicates(_ findings: Findings, _ text: String) -> [AccountProblem] {
    guard let place = findings.first else { return [] }
    let more = findings.count > 1 ? ", the first of \(findings.count) lines" : ""
    return [AccountProblem(.duplicated, "\(spell(place)): \(text)\(more)", next: Self.repeated)]
  }

  private func contradiction(_ who: String, _ contradiction: Contradiction) -> AccountProblem {
    let text =
      switch contradiction {
      case .recordsBehindEnd(let last, let end):
        "seq \(last) is there, but it was closed after \(end.committed) records"
      case .twoEnds(let place), .twoProcessEnds(let place): "\(spell(place)) closes it again, with other numbers"
      case .tooManyRings(let index, let rings): "ring \(index) is there, but it was closed with \(rings) rings"
      case .moreThanCommitted(let end):
        "more records are there, withheld or filtered than the \(end.committed) that were committed"
      case .moreDropsThanClosed: "more drops are told than its closing record counts"
      }
    return AccountProblem(.contradiction, "\(who): \(text)", next: Self.altered)
  }

  private static func spell(_ pid: UInt64?) -> String { pid.map { " (pid \($0))" } ?? "" }

  private static func spellMissing(_ ring: RingVerdict) -> String {
    var parts: [String] = []
    if !ring.missing.isEmpty {
      let stretches = ring.missing.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)…\($0.last)" }
      let isMore = ring.missing.reduce(0) { $0.plus($1.count) } < ring.missingRecords
      parts.append("seq \(stretches.joined(separator: ", "))\(isMore ? " and more" : "")")
    }
    if ring.unreadable > 0 { parts.append("\(ring.unreadable) stretches of the ring were unreadable") }
    return "\(ring.missingRecords) records missing: \(parts.joined(separator: "; "))"
  }
}
