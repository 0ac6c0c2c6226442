import CTreeRing
import TestSupport
import Testing

@testable import TreeRing

/// The memory that the last lines are kept in.
@Suite struct FlightSlotsTests {
  private func record(_ text: String, label: String = "app:db") -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendSegments(atMost: 2000) { writer in
      unsafe Array(label.utf8).withUnsafeBufferPointer {
        writer = unsafe RecordWriter(writer.place.inFull(SegmentTag.label, "", $0))
      }
      text.write(to: &writer, key: "what", fieldOnly: false)
    }
    let size = RecordLayout.headerSize + bytes.count
    let header: [UInt8] = [UInt8(size & 255), UInt8(size >> 8), 0, 0, Level.debug.rawValue, RecordFlags.channel, 0, 0]
    return header + [UInt8](repeating: 0, count: 16) + bytes
  }

  private func append(_ record: [UInt8], to lines: FlightLines, time: UInt64 = 1) {
    unsafe record.withUnsafeBytes { unsafe lines.slots.append($0, time: time, thread: 7) }
  }

  private func text(_ line: FlightLine) -> String {
    var text = ""
    unsafe line.withRecord { text = unsafe RecordedLog($0, $1).description }
    return text
  }

  @Test func keepsTheLastInOrder() {
    let lines = FlightLines(limit: 3)
    #expect(lines.all.isEmpty)
    for number in 1...5 { append(record("line \(number)"), to: lines, time: UInt64(number)) }
    #expect(lines.all.map(text) == (3...5).map { "debug app:db: line \($0) what=line \($0)" })
    #expect(lines.all.map(\.time) == [3, 4, 5] && lines.all.allSatisfy { $0.thread == 7 })
  }

  @Test func cutsWhatIsTooLong() {
    let lines = FlightLines(limit: 1)
    append(record(String(repeating: "x", count: 1500)), to: lines)
    let line = lines.all.first
    #expect(line?.record.count == Int(TR_FLIGHT_SLOT) - MemoryLayout<TRFlightLine>.size)
    var isTruncated = false
    unsafe line?.withRecord { view, _ in isTruncated = unsafe view.isTruncated }
    #expect(isTruncated)
  }

  @Test func limitsAreLimited() {
    for limit in [-1, 0, 1] {
      let lines = FlightLines(limit: limit)
      append(record("a"), to: lines)
      append(record("b"), to: lines)
      #expect(lines.all.count == 1)
    }
    #expect(unsafe FlightLines(limit: .max).slots.count == 4096)
  }

  /// A slot that was left half written, or holds nonsense, is passed over; nothing else is.
  @Test func anyBytesAreReadOrPassedOver() {
    var random = SeededGenerator("flight slots")
    let lines = FlightLines(limit: 8)
    for number in 1...8 { append(record("line \(number)"), to: lines) }
    unsafe tr_store64(lines.slots.memory + 2 * Int(TR_FLIGHT_SLOT), 0)
    #expect(lines.all.map(\.number) == [1, 2, 4, 5, 6, 7, 8])
    let memory = unsafe UnsafeMutableRawBufferPointer(start: lines.slots.memory, count: 8 * Int(TR_FLIGHT_SLOT))
    let formatters: [any Formatter] = [ConsoleFormatter(colours: false, isMultiline: false), JSONFormatter()]
    for round in 0..<20_000 {
      let slot = Int.random(in: 0..<8, using: &random) * Int(TR_FLIGHT_SLOT)
      unsafe memory[slot + Int.random(in: 8..<160, using: &random)] = UInt8.random(in: 0...255, using: &random)
      let formatter = formatters[round % formatters.count]
      for line in lines.all {
        _ = text(line)
        let output = OutputBuffer()
        unsafe line.withRecord { unsafe formatter.append($0, $1, to: output) }
      }
    }
  }
}
