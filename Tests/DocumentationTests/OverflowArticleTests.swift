import Foundation
import TestSupport
import Testing
import TreeRing

/// The figures of the article *Choosing an overflow policy*, found out by filling a ring.
@Suite struct OverflowArticleTests {
  private static let file = "Sources/TreeRing/TreeRing.docc/ChoosingAnOverflowPolicy.md"

  /// The rows `| levels | leaves free | bytes | records |`.
  private static func rows() throws -> [(bytes: Int, records: Int)] {
    let text = try String(contentsOfFile: Documentation.root + "/" + file, encoding: .utf8)
    return text.components(separatedBy: "\n").compactMap { line in
      let cells = line.components(separatedBy: "|").map { $0.filter(\.isNumber) }
      guard cells.count == 6, line.contains(" bytes |"), let bytes = Int(cells[3]), let records = Int(cells[4]) else {
        return nil
      }
      return (bytes, records)
    }
  }

  @Test func aRingOfTheStandardSizeHoldsWhatTheTableSays() async {
    await #expect(processExitsWith: .success) {
      let directory = try TemporaryDirectory()
      let standard = LogConfiguration()
      precondition(standard.ringSize == 256 << 10 && standard.whenFull == .drop)
      try LogSystem.start(
        LogConfiguration(level: .trace, sinks: [], directory: directory.path, writer: .external))
      let log = Logger("overflow")
      func fill(_ level: Level) {
        let (id, name, total) = (17, "alice", 12.5)
        let before = LogSystem.counters.droppedTotal
        while LogSystem.counters.droppedTotal == before {
          log.log(level, "order \(id, "order.id") placed by \(name, "user") total \(total, "order.total")")
        }
      }
      let rows = try OverflowArticleTests.rows()
      precondition(rows.count == 3, "the table is not found")
      for (row, level) in zip(rows, [Level.debug, .info, .warning]) {
        fill(level)
        let emitted = Int(LogSystem.counters.emitted)
        // The first records of a call in the source are longer: the one that says what the later ones leave out.
        precondition(abs(emitted - row.records) <= 4, "\(level): \(emitted) records, the article says \(row.records)")
        precondition(abs(emitted * 56 - row.bytes) <= 5 * 56, "\(level): \(row.bytes)")
      }
    }
  }
}
