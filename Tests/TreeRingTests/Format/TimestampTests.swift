import Foundation
import TestSupport
import Testing

@testable import TreeRing

@Suite struct TimestampTests {
  private func spelled(_ nanoseconds: UInt64, digits: Int = 9) -> String {
    let timestamp = Timestamp()
    let output = OutputBuffer()
    timestamp.append(nanoseconds, digits: digits, to: output)
    return unsafe String(decoding: output.bytes, as: UTF8.self)
  }

  private static let calendar: Calendar = {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return calendar
  }()

  private func expected(_ seconds: UInt64, _ fraction: String) -> String {
    let date = Date(timeIntervalSince1970: TimeInterval(seconds))
    let parts = Self.calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
    func pad(_ number: Int?, _ width: Int) -> String {
      let text = "\(number ?? -1)"
      return String(repeating: "0", count: max(width - text.count, 0)) + text
    }
    return "\(pad(parts.year, 4))-\(pad(parts.month, 2))-\(pad(parts.day, 2))T\(pad(parts.hour, 2)):"
      + "\(pad(parts.minute, 2)):\(pad(parts.second, 2)).\(fraction)Z"
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000000000Z"), (951_782_399, "2000-02-28T23:59:59.000000000Z"),
    (951_782_400, "2000-02-29T00:00:00.000000000Z"), (951_868_800, "2000-03-01T00:00:00.000000000Z"),
    (1_709_164_800, "2024-02-29T00:00:00.000000000Z"), (1_735_689_599, "2024-12-31T23:59:59.000000000Z"),
    (4_107_542_399, "2100-02-28T23:59:59.000000000Z"), (4_107_542_400, "2100-03-01T00:00:00.000000000Z"),
    (2_147_483_648, "2038-01-19T03:14:08.000000000Z"),
  ])
  func knownInstants(seconds: UInt64, text: String) { #expect(spelled(seconds * 1_000_000_000) == text) }

  /// Every day from 1970 to 2170, which the leap rule of 2000 and that of 2100 are in.
  @Test func everyDayAgreesWithFoundation() {
    for day in 0..<UInt64(200 * 366) {
      let seconds = day * 86_400 + 43_200
      if spelled(seconds * 1_000_000_000) != expected(seconds, "000000000") {
        Issue.record("\(spelled(seconds * 1_000_000_000)) is \(expected(seconds, "000000000"))")
        return
      }
    }
  }

  @Test func randomInstantsAgreeWithFoundation() {
    var random = SeededGenerator("instants")
    for _ in 0..<5_000 {
      let instant = UInt64.random(in: 0..<UInt64.max, using: &random)
      let fraction = String("\(instant % 1_000_000_000 + 1_000_000_000)".dropFirst())
      let seconds = instant / 1_000_000_000
      #expect(spelled(instant) == expected(seconds, fraction), "seed \(random.seed)")
      #expect(spelled(instant, digits: 3) == expected(seconds, String(fraction.prefix(3))), "seed \(random.seed)")
    }
  }

  /// One object spells many instants: what it keeps of the last one must never show.
  @Test func nothingOfTheLastInstantIsKept() {
    var random = SeededGenerator("instants in a row")
    let timestamp = Timestamp()
    for _ in 0..<2_000 {
      let instant = UInt64.random(in: 0..<5_000_000_000, using: &random)
      let output = OutputBuffer()
      timestamp.append(instant, digits: 9, to: output)
      #expect(unsafe String(decoding: output.bytes, as: UTF8.self) == spelled(instant), "seed \(random.seed)")
    }
  }
}
