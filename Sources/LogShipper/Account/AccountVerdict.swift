/// What an archive comes to: the numbers of the report, and where they come from. The arithmetic is at the head of `Account`.
package struct AccountVerdict: Sendable {
  package private(set) var totals = AccountTotals()
  package private(set) var processes: [ProcessVerdict] = []
  package let lines: UInt64
  package let foreign: UInt64
  package let malformed: UInt64
  package let malformedLines: [MalformedLine]
  /// Statements that exclude each other.
  package private(set) var contradictions: UInt64 = 0
  /// Records that the sink's own filter left out.
  package private(set) var filtered: UInt64 = 0

  init(lines: UInt64, foreign: UInt64, malformed: UInt64, malformedLines: [MalformedLine]) {
    self.lines = lines
    self.foreign = foreign
    self.malformed = malformed
    self.malformedLines = malformedLines
  }

  mutating func add(_ process: ProcessVerdict) {
    processes.append(process)
    totals.add(process.totals)
    contradictions.add(UInt64(process.contradictions.count))
    for ring in process.rings {
      contradictions.add(UInt64(ring.contradictions.count))
      filtered.add(ring.filtered)
    }
  }

  /// Whether the account is complete.
  ///
  /// - Parameter live: the programs still run, so that rings may be open.
  package func isComplete(live: Bool) -> Bool {
    totals.lost == 0 && totals.duplicated == 0 && malformed == 0 && contradictions == 0 && (live || totals.open == 0)
  }
}

/// The six numbers of the account. `emitted` = `delivered` + `dropped` + `lost`.
package struct AccountTotals: Equatable, Sendable {
  package var emitted: UInt64 = 0
  package var delivered: UInt64 = 0
  package var dropped: UInt64 = 0
  package var lost: UInt64 = 0
  package var duplicated: UInt64 = 0
  package var open: UInt64 = 0

  package init() {}

  mutating func add(_ other: AccountTotals) {
    emitted.add(other.emitted)
    delivered.add(other.delivered)
    dropped.add(other.dropped)
    lost.add(other.lost)
    duplicated.add(other.duplicated)
    open.add(other.open)
  }
}

/// One process.
package struct ProcessVerdict: Sendable {
  package let stream: StreamID
  /// How many rings its closing record counts; nil without one.
  package let closedRings: UInt64?
  package internal(set) var rings: [RingVerdict] = []
  package internal(set) var totals = AccountTotals()
  /// Whether its closing record is missing though one of its rings has one.
  package internal(set) var isOpen = false
  /// Rings that it must have had and that no line is from.
  package internal(set) var unseen: UInt64 = 0
  /// Calls that found no ring and whose notices are missing.
  package private(set) var missingDrops: UInt64 = 0
  /// Repeated notices of calls that found no ring.
  package private(set) var duplicates = Findings()
  package internal(set) var contradictions: [Contradiction] = []

  init(stream: StreamID, closedRings: UInt64?) {
    self.stream = stream
    self.closedRings = closedRings
  }

  package var pid: UInt64? { rings.lazy.compactMap(\.pid).first }

  mutating func add(_ ring: RingVerdict) {
    rings.append(ring)
    totals.add(ring.totals)
  }

  mutating func take(_ drops: DropVerdict) {
    missingDrops = drops.missing
    duplicates = drops.duplicates
    totals.dropped.add(drops.dropped)
    totals.lost.add(drops.missing)
    totals.emitted.add(drops.dropped)
    totals.emitted.add(drops.missing)
    totals.duplicated.add(drops.duplicates.count)
    if drops.excess { contradictions.append(.moreDropsThanClosed) }
  }
}

/// One ring.
package struct RingVerdict: Sendable {
  package let name: RingName
  package let pid: UInt64?
  package internal(set) var totals = AccountTotals()
  /// Records that are lost, and the first stretches of them that are known by their numbers.
  package internal(set) var missingRecords: UInt64 = 0
  package internal(set) var missing: [NumberSet.Run] = []
  /// Calls dropped whose notices are missing.
  package private(set) var missingDrops: UInt64 = 0
  package internal(set) var unreadable: UInt64 = 0
  /// Records that the sink did not get, and says so.
  package internal(set) var withheld: UInt64 = 0
  /// Records that its filter left out.
  package internal(set) var filtered: UInt64 = 0
  /// Repeated records.
  package internal(set) var duplicates = Findings()
  /// Repeated notices of drops.
  package private(set) var duplicateDrops = Findings()
  package internal(set) var contradictions: [Contradiction] = []

  static let shownGaps = 4

  init(name: RingName, pid: UInt64?) {
    self.name = name
    self.pid = pid
  }

  mutating func take(_ drops: DropVerdict) {
    missingDrops = drops.missing
    duplicateDrops = drops.duplicates
    totals.dropped = drops.dropped.plus(withheld)
    totals.lost = missingRecords.plus(drops.missing)
    totals.emitted = totals.delivered.plus(totals.dropped).plus(totals.lost)
    totals.duplicated = duplicates.count.plus(drops.duplicates.count)
    if drops.excess { contradictions.append(.moreDropsThanClosed) }
  }
}

/// Two statements that cannot both be true.
package enum Contradiction: Equatable, Sendable {
  case recordsBehindEnd(last: UInt64, RingEnd)
  case twoEnds(LinePlace)
  case twoProcessEnds(LinePlace)
  case tooManyRings(index: UInt64, rings: UInt64)
  case moreDropsThanClosed
  case moreThanCommitted(RingEnd)
}

extension UInt64 {
  /// The sum, at most the largest number: an archive may claim anything.
  func plus(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  mutating func add(_ other: UInt64) { self = plus(other) }
}
