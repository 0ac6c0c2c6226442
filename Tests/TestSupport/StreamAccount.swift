/// What the records of a file say about completeness, ring by ring: the library's promise, checked without its help.
///
/// A stream is whole when every ring's numbers are 0, 1, 2 … each once, its closing record comes last and names the number of records that are there, the
/// drops that were told on the way add up to the closing record's, and the process's closing record names the number of rings.
package struct StreamAccount: Sendable {
  /// One ring.
  package struct Ring: Sendable {
    /// Records with a number, in order of the file, without the closing record.
    package var records: [JSONRecord] = []
    /// Drops told on the way.
    package var dropped = 0
    /// The drops of the whole ring, as the last `records dropped` said.
    package var droppedTotal = 0
    /// The closing record.
    package var closing: JSONRecord?
    /// Stretches that only this sink has not got, and how many of their records it should have.
    package var withheld: [ClosedRange<Int>] = []
    package var withheldCount = 0
    /// Records that this sink's filter left out, as the closing record says.
    package var filtered: Int { closing?.integer("treering.filtered") ?? 0 }
  }

  /// By `ring`.
  package private(set) var rings: [String: Ring] = [:]
  /// What is not as it must be; empty when the stream is whole.
  package private(set) var faults: [String] = []
  /// Everything that the program itself logged.
  package private(set) var records: [JSONRecord] = []
  /// Calls without a ring that were told.
  package private(set) var lost = 0
  /// `sink failed` and `sink back`, in order.
  package private(set) var outages: [JSONRecord] = []
  /// Closing records of processes, by stream.
  package private(set) var processes: [String: Int] = [:]

  /// Counts `records`, which may be of several processes.
  ///
  /// - Parameter isClosed: false for processes that still run: then closing records may be missing.
  package init(_ records: [JSONRecord], isClosed: Bool = true) {
    for record in records { take(record) }
    for (name, ring) in rings.sorted(by: { $0.key < $1.key }) { check(name, ring, isClosed: isClosed) }
    checkProcesses(isClosed: isClosed)
  }

  private mutating func take(_ record: JSONRecord) {
    guard let name = record.ring else { return faults.append("no ring: \(record)") }
    guard record.time != nil, record.level != nil, record.msg != nil, record.integer("pid") != nil else {
      return faults.append("not a record: \(record)")
    }
    if rings[name]?.closing != nil { faults.append("after the closing record of \(name): \(record)") }
    guard record.logger == "treering" else {
      records.append(record)
      return rings[name, default: Ring()].records.append(record)
    }
    switch record.msg {
    case "ring closed": rings[name, default: Ring()].closing = record
    case "process closed":
      processes[Self.stream(of: name), default: 0] += 1
      rings[name, default: Ring()].records.append(record)
      if !name.hasSuffix(".0") { faults.append("not in ring 0: \(record)") }
    case "records dropped" where record["treering.cause"] as? String == "no ring":
      lost += record.integer("treering.dropped") ?? 0
    case "records dropped" where record.integer("treering.from") != nil:
      let (first, last) = (record.integer("treering.from") ?? 0, record.integer("treering.to") ?? -1)
      if first > last { return faults.append("an empty stretch: \(record)") }
      rings[name, default: Ring()].withheld.append(first...last)
      rings[name, default: Ring()].withheldCount += record.integer("treering.dropped") ?? 0
    case "sink filtered": break
    case "sink failed", "sink back": outages.append(record)
    case "records dropped":
      rings[name, default: Ring()].dropped += record.integer("treering.dropped") ?? 0
      rings[name, default: Ring()].droppedTotal = record.integer("treering.dropped_total") ?? -1
    default: faults.append("unexpected: \(record)")
    }
  }

  private static func stream(of ring: String) -> String { String(ring.prefix { $0 != "." }) }

  /// A ring of which this sink has not got everything: what it has not is told, by stretch or by number.
  private mutating func checkWithGaps(_ name: String, _ ring: Ring, isClosed: Bool) {
    let numbers = ring.records.map { $0.integer("seq") ?? -1 }
    if !zip(numbers, numbers.dropFirst()).allSatisfy({ $0 < $1 }) { faults.append("ring \(name): not in order") }
    for number in numbers where ring.withheld.contains(where: { $0.contains(number) }) {
      faults.append("ring \(name): \(number) is there, though it was withheld")
    }
    guard let closing = ring.closing else {
      if isClosed { faults.append("ring \(name) is open") }
      return
    }
    let accounted = numbers.count + ring.withheldCount + ring.filtered
    if closing.integer("treering.committed") != accounted {
      faults.append(
        "ring \(name): \(numbers.count) records, \(ring.withheldCount) withheld, \(ring.filtered) filtered, but \(closing)"
      )
    }
    checkDrops(name, ring, closing)
  }

  private mutating func check(_ name: String, _ ring: Ring, isClosed: Bool) {
    guard ring.withheld.isEmpty, ring.filtered == 0 else { return checkWithGaps(name, ring, isClosed: isClosed) }
    let numbers = ring.records.map { $0.integer("seq") ?? -1 }
    if numbers != Array(0..<numbers.count) {
      let index = zip(numbers, 0...).first { $0 != $1 }?.1 ?? 0
      faults.append("ring \(name): \(numbers[max(index - 1, 0)...].prefix(3)) at position \(index) of \(numbers.count)")
    }
    guard let closing = ring.closing else {
      if isClosed { faults.append("ring \(name) is open") }
      return
    }
    for field in ["seq", "treering.committed"] where closing.integer(field) != numbers.count {
      faults.append("ring \(name) has \(numbers.count) records, but \(field) of \(closing)")
    }
    checkDrops(name, ring, closing)
  }

  private mutating func checkDrops(_ name: String, _ ring: Ring, _ closing: JSONRecord) {
    if closing.integer("treering.dropped") != ring.dropped || ring.droppedTotal != ring.dropped {
      faults.append("ring \(name) told of \(ring.dropped) drops, total \(ring.droppedTotal), but \(closing)")
    }
  }

  private mutating func checkProcesses(isClosed: Bool) {
    for (stream, members) in Dictionary(grouping: rings.keys, by: Self.stream) {
      guard let count = processes[stream] else {
        if isClosed { faults.append("process \(stream) is open") }
        continue
      }
      let closing = rings[stream + ".0"]?.records.last
      if count != 1 || closing?.msg != "process closed" || closing?.integer("treering.rings") != members.count {
        faults.append("\(members.count) rings, but \(count) closings: \(closing?.line ?? "none")")
      }
    }
  }
}
