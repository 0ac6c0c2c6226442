/// What one line of an archive says about the account, and nothing else of it: a few numbers and marks, read by `NDJSONScanner`.
package struct AccountLine: Equatable, Sendable {
  /// The ring, when the line has one and it is spelled as TreeRing spells it.
  package var ring: RingName?
  /// `seq`.
  package var sequence = Number.absent
  /// `pid`.
  package var pid = Number.absent
  /// `treering.dropped`.
  package var dropped = Number.absent
  /// `treering.dropped_total`.
  package var droppedTotal = Number.absent
  /// `treering.rings`.
  package var rings = Number.absent
  /// `treering.committed`.
  package var committed = Number.absent
  /// `treering.filtered`.
  package var filtered = Number.absent
  /// `treering.from`.
  package var from = Number.absent
  /// `treering.to`.
  package var to = Number.absent
  /// `msg`, as far as it matters.
  package var message = Message.other
  /// Whether `logger` is `treering`, which writes about the stream itself.
  package var isAboutStream = false
  /// Whether `treering.cause` is `no ring`: calls of the whole process.
  package var isWithoutRing = false
  /// A name the account reads that stands twice in the object, so that readers would disagree about its value.
  package var repeatedName: Name?

  package init() {}

  /// A member that should be a whole number.
  package enum Number: Equatable, Sendable {
    case absent
    /// From 0 to 2^63 - 1, written with digits alone.
    case whole(UInt64)
    /// Anything else.
    case other
  }

  /// The messages of the records that tell the account.
  package enum Message: Sendable, CaseIterable {
    case recordsDropped, recordsUnreadable, processClosed, ringClosed, sinkFiltered, sinkFailed, sinkBack, other
  }

  /// The names that the account reads.
  package enum Name: UInt8, Sendable, CaseIterable {
    case ring, sequence, message, logger, pid, dropped, droppedTotal, cause, rings, committed, filtered, from, to
  }
}

/// What a line means.
package enum AccountFact: Equatable, Sendable {
  /// A JSON object that is no record of a ring.
  case foreign
  /// A record with its number.
  case record(RingName, sequence: UInt64)
  /// The end of a ring.
  case ringClosed(RingName, RingEnd)
  /// The end of a process, which is also the record `sequence` of its ring 0.
  case processClosed(RingName, sequence: UInt64, ProcessEnd)
  /// `count` calls left no record; with them `total` in this ring.
  case dropped(RingName, count: UInt64, total: UInt64)
  /// The same for calls that found no ring, in the whole process.
  case droppedWithoutRing(StreamID, count: UInt64, total: UInt64)
  /// `count` of the records of this stretch left their ring, and this sink has not got them: it failed. Its filter left out the others.
  case withheld(RingName, NumberSet.Run, count: UInt64)
  /// The sink leaves out records by their level or label.
  case sinkFiltered(StreamID)
  /// A sink failed, or is back: nothing that can be counted.
  case outage
  /// A stretch of a ring made no sense to its reader.
  case unreadable(RingName)
  /// A line of ours that says nothing that can be counted; the text says why.
  case malformed(String)
}

/// What a ring's closing record says.
package struct RingEnd: Equatable, Sendable {
  var committed: UInt64
  var dropped: UInt64
  /// Records that this sink's filter left out.
  var filtered: UInt64 = 0
}

/// What a process's closing record says.
package struct ProcessEnd: Equatable, Sendable {
  var rings: UInt64
  /// Calls that found no ring; nil when the record does not say.
  var dropped: UInt64?
}

extension AccountLine {
  /// Decides what the line means.
  ///
  /// Notices have no number, and every record of a program has one: so no message of a program passes for a notice. A closing record has a number; it
  /// is one only with the logger, the message and all the fields of one.
  package var fact: AccountFact {
    if let repeatedName, ring != nil || repeatedName == .ring {
      return .malformed("\(repeatedName.spelling) is there twice")
    }
    guard let ring else { return .foreign }
    switch sequence {
    case .absent: return notice(ring)
    case .whole(let number): return numbered(ring, number)
    case .other: return .malformed("seq is no whole number")
    }
  }

  private func notice(_ ring: RingName) -> AccountFact {
    guard isAboutStream else { return .foreign }
    switch message {
    case .recordsDropped where from != .absent: return withheld(ring)
    case .sinkFiltered: return .sinkFiltered(ring.stream)
    case .sinkFailed, .sinkBack: return .outage
    case .recordsDropped:
      guard case .whole(let count) = dropped, case .whole(let total) = droppedTotal, count > 0, count <= total else {
        return .malformed("treering.dropped and treering.dropped_total do not fit each other")
      }
      return isWithoutRing
        ? .droppedWithoutRing(ring.stream, count: count, total: total) : .dropped(ring, count: count, total: total)
    case .recordsUnreadable: return .unreadable(ring)
    default: return .foreign
    }
  }

  private func withheld(_ ring: RingName) -> AccountFact {
    guard case (.whole(let first), .whole(let last), .whole(let count)) = (from, to, dropped), first <= last, count > 0,
      count - 1 <= last - first
    else { return .malformed("treering.from, treering.to and treering.dropped do not fit each other") }
    return .withheld(ring, NumberSet.Run(first: first, last: last), count: count)
  }

  private func numbered(_ ring: RingName, _ number: UInt64) -> AccountFact {
    guard isAboutStream else { return .record(ring, sequence: number) }
    switch (message, committed, dropped, rings) {
    case (.ringClosed, .whole(let committed), .whole(let dropped), _):
      guard committed == number else { return .malformed("the closing record has seq \(number), not \(committed)") }
      let filtered = filtered.value ?? 0
      guard filtered <= committed else { return .malformed("treering.filtered is more than treering.committed") }
      return .ringClosed(ring, RingEnd(committed: committed, dropped: dropped, filtered: filtered))
    case (.processClosed, _, let dropped, .whole(let rings)) where ring.index == 0 && rings > 0:
      return .processClosed(ring, sequence: number, ProcessEnd(rings: rings, dropped: dropped.value))
    default: return .record(ring, sequence: number)
    }
  }
}

extension AccountLine.Number {
  var value: UInt64? { if case .whole(let number) = self { number } else { nil } }
}

extension AccountLine.Name {
  /// As it stands in a record.
  package var spelling: StaticString {
    switch self {
    case .ring: "ring"
    case .sequence: "seq"
    case .message: "msg"
    case .logger: "logger"
    case .pid: "pid"
    case .dropped: "treering.dropped"
    case .droppedTotal: "treering.dropped_total"
    case .cause: "treering.cause"
    case .rings: "treering.rings"
    case .committed: "treering.committed"
    case .filtered: "treering.filtered"
    case .from: "treering.from"
    case .to: "treering.to"
    }
  }
}

extension AccountLine.Message {
  /// As it stands in a record; empty for the others.
  package var spelling: StaticString {
    switch self {
    case .recordsDropped: "records dropped"
    case .recordsUnreadable: "records unreadable"
    case .processClosed: "process closed"
    case .ringClosed: "ring closed"
    case .sinkFiltered: "sink filtered"
    case .sinkFailed: "sink failed"
    case .sinkBack: "sink back"
    case .other: ""
    }
  }
}
