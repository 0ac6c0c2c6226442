import Testing

@testable import TreeRingLogging

/// The quick look whether two sets of metadata share a name.
@Suite struct NameFilterTests {
  @Test func itNeverMissesAName() {
    let names = ["", "a", "b", "order.id", "caf\u{E9}", "K", "\u{212A}", String(repeating: "long", count: 100)]
    for count in 0...names.count {
      let filter = NameFilter(names[..<count])
      for name in names[..<count] {
        #expect(filter.mayContain(name))
        #expect(filter.mayContain(name.decomposed), "canonically equivalent")
      }
    }
  }

  /// Otherwise nothing would be gained.
  @Test func itTellsMostOtherNamesApart() {
    let filter = NameFilter(["order.id", "user", "order.total"])
    let others = (0..<1000).map { "key\($0)" }.filter(filter.mayContain)
    #expect(others.count < 150)
  }

  @Test func anEmptyOneContainsNothing() {
    let filter = NameFilter([])
    #expect(!filter.mayContain("a") && !filter.mayContain("\u{E9}"))
  }
}

extension String {
  /// An equal string of other bytes, where there is one.
  fileprivate var decomposed: String { self == "caf\u{E9}" ? "cafe\u{301}" : self == "K" ? "\u{212A}" : self }
}
