/// What an archive says about one process, beside its rings.
struct ProcessAccount: Sendable {
  let stream: StreamID
  /// Its rings' places in the account.
  var rings: [Int] = []
  var told = DropAccount()
  /// The sink has said that it leaves records out.
  var isFiltered = false
  private var end: ProcessEnd?
  private var endSequence: UInt64 = 0
  private var otherEnds = Findings()

  init(_ stream: StreamID) { self.stream = stream }

  /// A repeated closing record is found by its number in ring 0; here only one that says something else matters.
  mutating func add(_ end: ProcessEnd, sequence: UInt64, at place: LinePlace) {
    guard let known = self.end else { return (self.end, endSequence) = (end, sequence) }
    if known != end || endSequence != sequence { otherEnds.add(place, number: sequence) }
  }

  func verdict(among all: [RingAccount]) -> ProcessVerdict {
    var verdict = ProcessVerdict(stream: stream, closedRings: end?.rings)
    for place in rings { verdict.add(all[place].verdict(isFiltered: isFiltered)) }
    verdict.rings.sort { $0.name.index < $1.name.index }
    verdict.isOpen = end == nil && rings.contains { all[$0].end != nil }
    if verdict.isOpen { verdict.totals.open.add(1) }
    countUnseen(&verdict, indexes: rings.map { UInt64(all[$0].name.index) })
    if let place = otherEnds.first { verdict.contradictions.append(.twoProcessEnds(place)) }
    verdict.take(told.verdict(closedWith: end?.dropped))
    return verdict
  }

  private func countUnseen(_ verdict: inout ProcessVerdict, indexes: [UInt64]) {
    let seenEnd = indexes.max().map { $0 + 1 } ?? 0
    if let end {
      if seenEnd > end.rings { verdict.contradictions.append(.tooManyRings(index: seenEnd - 1, rings: end.rings)) }
      verdict.unseen = end.rings - UInt64(indexes.count { $0 < end.rings })
      verdict.totals.lost.add(verdict.unseen)
      verdict.totals.emitted.add(verdict.unseen)
    } else {
      verdict.unseen = seenEnd - UInt64(indexes.count)
    }
    verdict.totals.open.add(verdict.unseen)
  }
}
