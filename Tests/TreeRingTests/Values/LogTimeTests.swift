import Foundation
import TestSupport
import Testing

@testable import TreeRing

@Suite struct LogTimeTests {
  private func spelled(_ nanoseconds: Int64) throws -> String? {
    try EncodedRecord({ "at" }) { $0["time_"] = LogTime(nanosecondsSince1970: nanoseconds) }.json()["time_"] as? String
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000000000Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
      (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"), (Int64.max, "2262-04-11T23:47:16.854775807Z"),
      (Int64.min, "1677-09-21T00:12:43.145224192Z"), (-86_400_000_000_000, "1969-12-31T00:00:00.000000000Z"),
    ] as [(Int64, String)])
  func isSpelledAsRFC3339(_ nanoseconds: Int64, _ expected: String) throws {
    #expect(try spelled(nanoseconds) == expected)
  }

  @Test func agreesWithFoundation() throws {
    var generator = SeededGenerator(seed: 7)
    let format = Date.ISO8601FormatStyle()
    for _ in 0..<2_000 {
      let seconds = Int64.random(in: -9_000_000_000...9_000_000_000, using: &generator)
      let expected = Date(timeIntervalSince1970: Double(seconds)).formatted(format).dropLast() + ".000000000Z"
      #expect(try spelled(seconds * 1_000_000_000) == String(expected))
    }
  }
}
