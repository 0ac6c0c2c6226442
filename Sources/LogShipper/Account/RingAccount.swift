/// What an archive says about one ring.
struct RingAccount: Sendable {
  let name: RingName
  var pid: UInt64?
  private var seen = NumberSet()
  var told = DropAccount()
  /// Notices of stretches that made no sense.
  var unreadable: UInt64 = 0
  private(set) var end: RingEnd?
  private var duplicates = Findings()
  private var otherEnds = Findings()
  /// Stretches that the sink has not got, and how many of their records it should have.
  private var withheld = NumberSet()
  private var withheldCount: UInt64 = 0

  init(_ name: RingName) { self.name = name }

  mutating func add(record sequence: UInt64, at place: LinePlace) {
    if !seen.insert(sequence) { duplicates.add(place, number: sequence) }
  }

  mutating func add(withheld run: NumberSet.Run, count: UInt64, at place: LinePlace) {
    guard withheld.insert(run) == run.count else { return duplicates.add(place, number: run.first) }
    withheldCount.add(count)
  }

  mutating func add(_ end: RingEnd, at place: LinePlace) {
    guard let known = self.end else { return self.end = end }
    if known == end {
      duplicates.add(place, number: end.committed)
    } else {
      otherEnds.add(place, number: end.committed)
    }
  }

  /// - Parameter isFiltered: the sink leaves records out; without a closing record nobody can say how many.
  func verdict(isFiltered: Bool) -> RingVerdict {
    var verdict = RingVerdict(name: name, pid: pid)
    let seenEnd = seen.last.map { $0 + 1 } ?? 0
    let last = max(end?.committed ?? 0, seenEnd, withheld.last.map { $0 + 1 } ?? 0)
    let here = seen.count.plus(withheldCount)
    let left = last > here ? last - here : 0
    verdict.filtered = end.map(\.filtered) ?? (isFiltered ? left : 0)
    verdict.totals.delivered = seen.count
    verdict.withheld = withheldCount
    verdict.missingRecords = max(left > verdict.filtered ? left - verdict.filtered : 0, unreadable)
    if verdict.missingRecords > 0 { verdict.missing = gaps(below: last) }
    if let end, here.plus(end.filtered) > end.committed, seenEnd <= end.committed {
      verdict.contradictions.append(.moreThanCommitted(end))
    }
    verdict.unreadable = unreadable
    verdict.totals.open = end == nil ? 1 : 0
    verdict.duplicates = duplicates
    if let end, seenEnd > end.committed { verdict.contradictions.append(.recordsBehindEnd(last: seenEnd - 1, end)) }
    if let place = otherEnds.first { verdict.contradictions.append(.twoEnds(place)) }
    verdict.take(told.verdict(closedWith: end?.dropped))
    return verdict
  }
}

extension RingAccount {
  /// The first stretches that are neither there nor told of.
  private func gaps(below end: UInt64) -> [NumberSet.Run] {
    var known = seen
    withheld.forEachRun { _ = known.insert($0) }
    return known.gaps(below: end, limit: RingVerdict.shownGaps)
  }
}

/// What an archive says about calls that left no record: of one ring, or those of a process that found no ring.
struct DropAccount: Sendable {
  private var told = NumberSet()
  private var duplicates = Findings()

  mutating func add(_ count: UInt64, total: UInt64, at place: LinePlace) {
    if told.insert(.init(first: total - count, last: total - 1)) < count { duplicates.add(place, number: total) }
  }

  func verdict(closedWith closed: UInt64?) -> DropVerdict {
    let toldEnd = told.last.map { $0 + 1 } ?? 0
    return DropVerdict(
      dropped: told.count, missing: max(closed ?? 0, toldEnd) - told.count, duplicates: duplicates,
      excess: closed.map { toldEnd > $0 } ?? false)
  }
}

/// What a `DropAccount` comes to.
struct DropVerdict {
  let dropped: UInt64
  let missing: UInt64
  let duplicates: Findings
  /// More is told than the closing record counts.
  let excess: Bool
}

/// Lines of one kind: how many, and the first.
package struct Findings: Equatable, Sendable {
  package private(set) var count: UInt64 = 0
  package private(set) var first: LinePlace?
  /// The number that the first one repeats: a record's, or a total of drops.
  package private(set) var number: UInt64 = 0

  mutating func add(_ place: LinePlace, number: UInt64) {
    count &+= 1
    if first == nil { (first, self.number) = (place, number) }
  }
}
