import Testing
import TreeRing

/// The rules P1–P9 and M1–M7, as npm `debug` 4.4.3 follows them.
@Suite struct DebugFilterTests {
  @Test(arguments: try DebugCases.matches())
  func matchesAsNpm(row: DebugCases.Match) {
    let filter = DebugFilter(parsing: row.debug)
    #expect(filter.isEnabled(row.namespace) == row.enabled)
    #expect(filter.isEnabled(Array(row.namespace.utf8).span) == row.enabled)
    #expect((filter.matchingPattern(for: row.namespace) != nil) == row.enabled)
  }

  @Test(arguments: try DebugCases.parses())
  func parsesAsNpm(row: DebugCases.Parse) {
    let filter = DebugFilter(parsing: row.debug)
    #expect(filter.names.map { Array($0.utf8) } == row.names.map { Array($0.utf8) })
    #expect(filter.skips.map { Array($0.utf8) } == row.skips.map { Array($0.utf8) })
    #expect(Array(filter.spec.utf8) == Array(row.disable.utf8))
    #expect(DebugFilter(parsing: filter.spec) == filter)
  }

  @Test func unsetIsOff() {
    #expect(DebugFilter(parsing: nil) == .off)
    #expect(DebugFilter(parsing: " , ") == .off)
    #expect(DebugFilter.off.spec == "")
    #expect(!DebugFilter.off.isEnabled(""))
    #expect(!DebugFilter.off.isEnabled("a"))
  }

  @Test func literalNamesMatchLikeStrings() {
    let filter = DebugFilter(parsing: "shop:*,é,-shop:db")
    let names: [(StaticString, Bool)] = [
      ("shop:http", true), ("shop:db", false), ("shop", false), ("é", true), ("", false),
    ]
    for (name, enabled) in names {
      #expect(filter.isEnabled(name) == enabled, "\(name)")
    }
  }

  @Test func tellsWhichPatternSwitchedAChannelOn() {
    let filter = DebugFilter(parsing: "-shop:db:*, shop:db, shop:*, *")
    #expect(filter.matchingPattern(for: "shop:db") == "shop:db")
    #expect(filter.matchingPattern(for: "shop:http") == "shop:*")
    #expect(filter.matchingPattern(for: "express") == "*")
    #expect(filter.matchingPattern(for: "shop:db:pool") == nil)
    #expect(DebugFilter(parsing: "shop").matchingPattern(for: "express") == nil)
  }

  // MARK: where Swift's strings would mislead

  /// Each of these is one `Character` that holds a separator, a star or a dash.
  @Test(arguments: [
    ("a\r\nb", ["a", "b"]), ("a,\u{301}b", ["a", "\u{301}b"]), ("a \u{301}b", ["a", "\u{301}b"]),
  ])
  func separatesInsideACharacter(spec: String, names: [String]) {
    let parsed = DebugFilter(parsing: spec).names
    #expect(parsed.map { Array($0.utf8) } == names.map { Array($0.utf8) })
  }

  @Test func starAndDashCountInsideACharacter() {
    #expect(DebugFilter(parsing: "a*\u{301}").isEnabled("abc\u{301}"))
    #expect(!DebugFilter(parsing: "a*\u{301}").isEnabled("abc"))
    #expect(DebugFilter(parsing: "-\u{301}").skips.map { Array($0.utf8) } == [[0xCC, 0x81]])
  }

  @Test func canonicallyEquivalentNamesAreDifferentNames() {
    #expect("\u{e9}" == "e\u{301}", "the premise of this test")
    #expect(!DebugFilter(parsing: "\u{e9}").isEnabled("e\u{301}"))
    #expect(DebugFilter(parsing: "e*").isEnabled("e\u{301}"))
    #expect(DebugFilter(parsing: "\u{e9}") != DebugFilter(parsing: "e\u{301}"))
    #expect(DebugFilter(parsing: "-\u{e9}") != DebugFilter(parsing: "-e\u{301}"))
  }

  /// Every scalar of the basic plane against the list of ECMA-262, so that nothing is missing and nothing is added.
  @Test func whitespaceIsJavaScripts() {
    let expected: Set<UInt32> = [
      0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x2C, 0xA0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
      0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF,
    ]
    let separators = (UInt32(0)...0xFFFF).compactMap(Unicode.Scalar.init).filter { scalar in
      DebugFilter(parsing: "a\(scalar)b").names.count == 2
    }
    #expect(Set(separators.map(\.value)) == expected)
  }
}
