import Foundation
import TestSupport
import Testing
import TreeRing
import TreeRingFoundation

/// Foundation's values, as a recorder sees them.
@Suite struct FoundationValueTests {
  private func text(_ value: some LogValue) -> String? {
    let recorder = LogRecorder()
    recorder.logger("test").info("value \(value)")
    return recorder.records.first.map { String($0.message.dropFirst(6)) }
  }

  @Test func aDateIsInUTC() {
    #expect(text(Date(timeIntervalSince1970: 0)) == "1970-01-01T00:00:00.000000000Z")
    #expect(text(Date(timeIntervalSince1970: 951_782_400.25)) == "2000-02-29T00:00:00.250000000Z")
    #expect(text(Date(timeIntervalSince1970: -0.5)) == "1969-12-31T23:59:59.500000000Z")
  }

  @Test func aDateOutOfRangeIsClamped() {
    for date in [Date.distantFuture, Date(timeIntervalSince1970: .infinity), Date(timeIntervalSince1970: 1e300)] {
      #expect(text(date)?.hasPrefix("2262-04-11T") == true)
    }
    #expect(text(Date.distantPast)?.hasPrefix("1677-09-21T") == true)
    #expect(text(Date(timeIntervalSince1970: .nan)) != nil)
  }

  @Test func aUUIDIsItsString() {
    for _ in 0..<100 {
      let id = UUID()
      #expect(text(id) == id.uuidString)
    }
  }

  @Test(arguments: [
    ("https://shop.example/path?q=1#f", "https://shop.example/path?q=1#f"),
    ("https://anna@shop.example/", "https://anna@shop.example/"),
    ("https://anna:tree%20ring@shop.example:8080/a@b", "https://anna:[redacted]@shop.example:8080/a@b"),
    ("postgres://:ring@localhost/db", "postgres://:[redacted]@localhost/db"),
    ("file:///tmp/a:b@c", "file:///tmp/a:b@c"),
  ])
  func aURLLeavesOutItsPassword(_ url: String, _ expected: String) throws {
    #expect(text(try #require(URL(string: url))) == expected)
  }

  @Test func dataAndDecimalsAreStrings() throws {
    #expect(text(Data("tree ring".utf8)) == "dHJlZSByaW5n")
    #expect(text(try #require(Decimal(string: "0.1000000000000000055"))) == "0.1000000000000000055")
  }
}
