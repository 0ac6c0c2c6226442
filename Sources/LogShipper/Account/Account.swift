/// The account of an archive: was everything that was emitted delivered, once?
///
/// Fed with the facts of every line, in any order, from any number of files; asked for its verdict at the end. A value without I/O. Memory grows with rings, gaps and defects, not
/// with lines.
///
/// **What proves what.** Records of a ring are numbered from 0 without gaps, so a missing one in the middle is a gap. A missing end shows because the ring's
/// closing record says how many were committed; a missing closing record shows because the process's own says how many rings there are; and that one is itself a
/// numbered record of ring 0. Calls that left no record have no number: the notices of a ring say how many each tells (`treering.dropped`) and how many that makes in all
/// (`treering.dropped_total`), so each covers the stretch `total - dropped ..< total`, and the closing record says where the stretches end. Calls that found no ring
/// at all are accounted for in the same way in the whole process, closed by the process's closing record. So every line but a foreign one is necessary, and none may be there twice.
///
/// A sink that fails while others work loses its copy of records that have numbers, and tells their stretch when it is back: they count as dropped. A sink with a
/// level or labels of its own says so at its start, and its closing records say how many of each ring it left out: those were not emitted to it. Until
/// there is a closing record, gaps in such a stream are taken for its filter's.
///
/// **The arithmetic**, for one ring; sums over rings and processes make the last line of the report:
///
///     delivered   distinct numbers seen (the process's closing record is one of them; a ring's closing record is not)
///     dropped     distinct calls told of by notices, and records in the stretches that the sink did not get
///     filtered    of the closing record; without one, of a stream that says it is filtered, whatever is missing
///     end         committed, of the closing record; without one, or when that is larger, the largest number seen + 1
///     lost        (end - delivered - filtered - in stretches) + (calls dropped, of the closing record or of the largest total seen, - told)
///     emitted     delivered + dropped + lost; with a closing record that is committed - filtered + dropped as it says
///     duplicated  lines that repeat a number, a closing record, a stretch, or a call told of before
///     open        1 without a closing record
///
/// Notices of unreadable stretches count: there was a record in each at least, so `end - delivered` is at least their number.
/// To a process belong: calls that found no ring (dropped and lost as above); rings below the number its closing record gives that were never seen, each 1 open
/// and, since a line of it is certainly missing, 1 lost and 1 emitted at least; rings between others that were never seen, each 1 open, where that number is not known; and 1 open when it has no closing
/// record though one of its rings has.
///
/// **Beside the account.** Malformed lines say nothing that can be believed. Contradictions are statements that exclude each other: records behind the
/// closing record, two different closing records, more drops told than closed with, more rings than the process had. Either is a failure. Lines of others are counted and ignored.
/// Sums stop at 2^64 - 1. A process none of whose lines is there cannot be missed.
package struct Account: Sendable {
  private var rings: [RingAccount] = []
  private var processes: [ProcessAccount] = []
  private var ringPlaces: [RingName: Int] = [:]
  private var processPlaces: [StreamID: Int] = [:]
  private var latest: (name: RingName, place: Int)?

  /// Lines added, blank ones excepted.
  package private(set) var lines: UInt64 = 0
  /// Lines that are records of no ring.
  package private(set) var foreign: UInt64 = 0
  /// Lines that are no JSON records.
  package private(set) var malformed: UInt64 = 0
  /// The first malformed lines.
  package private(set) var malformedLines: [MalformedLine] = []

  /// Malformed lines that are remembered with their place; the others are only counted.
  package static let rememberedLines = 50

  package init() {}

  /// Takes one line's facts into account.
  ///
  /// - Parameter isCut: its line feed is missing. What it says is whole, but an archive does not end like that.
  package mutating func add(_ line: AccountLine, at place: LinePlace, isCut: Bool = false) {
    lines &+= 1
    if isCut { noteMalformed("the line feed at its end is missing", at: place) }
    switch line.fact {
    case .foreign: foreign &+= 1
    case .malformed(let reason): noteMalformed(reason, at: place)
    case .record(let name, let sequence): ring(name, line) { $0.add(record: sequence, at: place) }
    case .ringClosed(let name, let end): ring(name, line) { $0.add(end, at: place) }
    case .dropped(let name, let count, let total): ring(name, line) { $0.told.add(count, total: total, at: place) }
    case .withheld(let name, let run, let count): ring(name, line) { $0.add(withheld: run, count: count, at: place) }
    case .sinkFiltered(let stream): process(stream) { $0.isFiltered = true }
    case .outage: break
    case .unreadable(let name): ring(name, line) { $0.unreadable &+= 1 }
    case .droppedWithoutRing(let stream, let count, let total):
      process(stream) { $0.told.add(count, total: total, at: place) }
    case .processClosed(let name, let sequence, let end):
      ring(name, line) { $0.add(record: sequence, at: place) }
      process(name.stream) { $0.add(end, sequence: sequence, at: place) }
    }
  }

  /// Counts a line that is no JSON record.
  package mutating func addMalformed(_ reason: String, at place: LinePlace) {
    lines &+= 1
    noteMalformed(reason, at: place)
  }

  private mutating func noteMalformed(_ reason: String, at place: LinePlace) {
    malformed &+= 1
    if malformedLines.count < Self.rememberedLines {
      malformedLines.append(MalformedLine(place: place, reason: reason))
    }
  }

  private mutating func ring(_ name: RingName, _ line: AccountLine, _ change: (inout RingAccount) -> Void) {
    let place = ringPlace(name)
    // A record may be about another process and carry that one's pid; a record about the stream never does.
    if line.isAboutStream || rings[place].pid == nil { rings[place].pid = line.pid.value ?? rings[place].pid }
    change(&rings[place])
  }

  private mutating func ringPlace(_ name: RingName) -> Int {
    if let latest, latest.name == name { return latest.place }
    let place = ringPlaces[name] ?? addRing(name)
    latest = (name, place)
    return place
  }

  private mutating func addRing(_ name: RingName) -> Int {
    ringPlaces[name] = rings.count
    rings.append(RingAccount(name))
    let place = rings.count - 1
    process(name.stream) { $0.rings.append(place) }
    return place
  }

  private mutating func process(_ stream: StreamID, _ change: (inout ProcessAccount) -> Void) {
    if processPlaces[stream] == nil {
      processPlaces[stream] = processes.count
      processes.append(ProcessAccount(stream))
    }
    if let place = processPlaces[stream] { change(&processes[place]) }
  }

  /// What the lines so far come to. Cost: a pass over the rings.
  package var verdict: AccountVerdict {
    var verdict = AccountVerdict(lines: lines, foreign: foreign, malformed: malformed, malformedLines: malformedLines)
    for process in processes.sorted(by: { $0.stream < $1.stream }) { verdict.add(process.verdict(among: rings)) }
    return verdict
  }
}

/// Where a line stands.
package struct LinePlace: Equatable, Sendable {
  /// Index of the file among those read.
  package var file: Int
  /// From 1.
  package var line: UInt64

  package init(file: Int, line: UInt64) {
    self.file = file
    self.line = line
  }
}

/// A line that is no JSON record.
package struct MalformedLine: Equatable, Sendable {
  package let place: LinePlace
  package let reason: String
}
