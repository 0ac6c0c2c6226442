import Foundation
import LogShipper
import TestSupport
import Testing

/// The account against a reference that is too simple to be wrong: it keeps every line's object and every number.
@Suite struct AccountModelTests {
  @Test(arguments: 0..<12 as Range<UInt64>)
  func agreesWithTheReferenceOnEditedArchives(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var complete = 0
    for _ in 0..<60 {
      var lines = Self.archive(&generator)
      for _ in 0..<Int.random(in: 0...3, using: &generator) { try Self.edit(&lines, &generator) }
      let verdict = settle(lines)
      let reference = ReferenceAccount(lines)
      #expect(verdict.totals == reference.totals, "\(lines.joined(separator: "\n"))")
      #expect(verdict.malformed == reference.malformed && verdict.foreign == reference.foreign)
      for live in [false, true] {
        #expect(verdict.isComplete(live: live) == reference.isComplete(live: live), "\(lines.joined(separator: "\n"))")
      }
      #expect(verdict.totals.emitted == verdict.totals.delivered + verdict.totals.dropped + verdict.totals.lost)
      if verdict.isComplete(live: false) { complete += 1 }
    }
    #expect(complete > 0 && complete < 60)
  }

  private static func archive(_ generator: inout SeededGenerator) -> [String] {
    var archive = SampleArchive()
    for process in 0..<Int.random(in: 1...3, using: &generator) {
      let rings = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
        (records: Int.random(in: 0...8, using: &generator), drops: counts(&generator))
      }
      archive.addProcess("p\(process)", pid: process, rings: rings, lost: counts(&generator))
    }
    return archive.lines
  }

  private static func counts(_ generator: inout SeededGenerator) -> [Int] {
    (0..<Int.random(in: 0...2, using: &generator)).map { _ in Int.random(in: 1...3, using: &generator) }
  }

  private static func edit(_ lines: inout [String], _ generator: inout SeededGenerator) throws {
    guard let index = lines.indices.randomElement(using: &generator) else { return }
    switch Int.random(in: 0...8, using: &generator) {
    case 0: lines.remove(at: index)
    case 1: lines.insert(lines[index], at: Int.random(in: 0...lines.count, using: &generator))
    case 2: lines.shuffle(using: &generator)
    case 3: lines.removeLast(Int.random(in: 0...lines.count, using: &generator))
    case 4: lines[index].removeLast()
    case 5: lines.insert(#"{"msg":"of somebody else"}"#, at: index)
    case 6: try respell("seq", in: &lines[index], &generator)
    case 7: try respell("treering.dropped_total", in: &lines[index], &generator)
    default: try respell("treering.rings", in: &lines[index], &generator)
    }
  }

  /// Gives a member another number.
  private static func respell(_ name: String, in line: inout String, _ generator: inout SeededGenerator) throws {
    let number = Int.random(in: 0...9, using: &generator)
    line = line.replacing(try Regex("\"\(name)\":[0-9]+,"), with: "\"\(name)\":\(number),")
  }
}

/// The definition at the head of `Account`, put down with sets and lists.
private struct ReferenceAccount {
  private struct Ring {
    var records = Set<Int>()
    var drops = Set<Int>()
    var ends: [[Int]] = []
    var unreadable = 0
  }

  private struct Process {
    var rings: [Int: Ring] = [:]
    var drops = Set<Int>()
    var ends: [[Int]] = []
  }

  private var processes: [String: Process] = [:]
  private(set) var malformed: UInt64 = 0
  private(set) var foreign: UInt64 = 0
  private(set) var totals = AccountTotals()
  private var contradictions = 0

  init(_ lines: [String]) {
    for line in lines { add(line) }
    for process in processes.values { settle(process) }
  }

  func isComplete(live: Bool) -> Bool {
    let defects = totals.lost + totals.duplicated + malformed + UInt64(contradictions)
    return defects == 0 && (live || totals.open == 0)
  }

  private mutating func add(_ line: String) {
    guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
      malformed += 1
      return
    }
    guard let name = (object["ring"] as? String)?.split(separator: "."), name.count == 2, let index = Int(name[1])
    else {
      foreign += 1
      return
    }
    add(object, String(name[0]), index)
  }

  private mutating func add(_ object: [String: Any], _ stream: String, _ index: Int) {
    func number(_ name: String) -> Int? { object[name] as? Int }
    let about = object["logger"] as? String == "treering" ? object["msg"] as? String : nil
    guard let sequence = number("seq") else {
      guard about == "records dropped", let count = number("treering.dropped"),
        let total = number("treering.dropped_total")
      else { return foreign += 1 }
      guard count > 0, count <= total else { return malformed += 1 }
      let calls = Set(total - count..<total)
      var isRepeated: Bool
      if object["treering.cause"] as? String == "no ring" {
        isRepeated = !processes[stream, default: Process()].drops.isDisjoint(with: calls)
        processes[stream, default: Process()].drops.formUnion(calls)
      } else {
        isRepeated = !self[stream, index].drops.isDisjoint(with: calls)
        self[stream, index].drops.formUnion(calls)
      }
      if isRepeated { totals.duplicated += 1 }
      return
    }
    if about == "ring closed", let committed = number("treering.committed"), let dropped = number("treering.dropped") {
      guard committed == sequence else { return malformed += 1 }
      if self[stream, index].ends.contains([committed, dropped]) { totals.duplicated += 1 }
      self[stream, index].ends.append([committed, dropped])
      return
    }
    if !self[stream, index].records.insert(sequence).inserted { totals.duplicated += 1 }
    if about == "process closed", index == 0, let rings = number("treering.rings"), rings > 0 {
      processes[stream, default: Process()].ends.append([sequence, rings, number("treering.dropped") ?? 0])
    }
  }

  private subscript(_ stream: String, _ index: Int) -> Ring {
    get { processes[stream]?.rings[index] ?? Ring() }
    set { processes[stream, default: Process()].rings[index] = newValue }
  }

  private mutating func settle(_ process: Process) {
    let rings = process.ends.first?[1]
    let seenEnd = (process.rings.keys.max() ?? -1) + 1
    for ring in process.rings.values { settle(ring) }
    if let rings, seenEnd > rings { contradictions += 1 }
    for index in 0..<(rings ?? seenEnd) where process.rings[index] == nil {
      totals.open += 1
      if rings != nil {
        totals.lost += 1
        totals.emitted += 1
      }
    }
    if rings == nil, process.rings.values.contains(where: { !$0.ends.isEmpty }) { totals.open += 1 }
    if Set(process.ends).count > 1 { contradictions += 1 }
    settle(process.drops, closedWith: process.ends.first?[2])
  }

  private mutating func settle(_ ring: Ring) {
    let committed = ring.ends.first?[0]
    let end = max(committed ?? 0, (ring.records.max() ?? -1) + 1)
    let missing = (0..<end).count { !ring.records.contains($0) }
    totals.emitted += UInt64(end)
    totals.delivered += UInt64(ring.records.count)
    totals.lost += UInt64(missing)
    if ring.ends.isEmpty { totals.open += 1 }
    if let committed, end > committed { contradictions += 1 }
    if Set(ring.ends).count > 1 { contradictions += 1 }
    settle(ring.drops, closedWith: ring.ends.first?[1])
  }

  private mutating func settle(_ drops: Set<Int>, closedWith closed: Int?) {
    let end = max(closed ?? 0, (drops.max() ?? -1) + 1)
    totals.emitted += UInt64(end)
    totals.dropped += UInt64(drops.count)
    totals.lost += UInt64((0..<end).count { !drops.contains($0) })
    if let closed, end > closed { contradictions += 1 }
  }
}
