import Testing

@testable import TreeRing

/// What is said about a pattern that matches no channel.
@Suite struct DebugSuggestionTests {
  private let names = ["app:http", "app:http:router", "app:db", "shop:db", "worker"]

  @Test(arguments: [
    ("ap:*", "app:*"), ("shop:bd", "shop:db"), ("App:db", "app:db"), ("wroker", "worker"), ("app:htpp:*", "app:http:*"),
    ("SHOP:*", "shop:*"), ("WORKER", "worker"),
    ("worke*", nil), ("shop:dbs", "shop:db"),
  ])
  func namesTheNearest(pattern: String, nearest: String?) {
    let lines = DebugSuggestion.lines(DebugFilter(parsing: pattern), names, source: "DEBUG")
    // A pattern that matches something needs no word.
    guard let nearest else { return #expect(lines == []) }
    #expect(lines.count == 1)
    #expect(
      lines.first?.contains("\(pattern) matches no channel known yet; did you mean \(nearest)?") == true, "\(lines)")
  }

  @Test func nothingNearIsNotGuessed() {
    let lines = DebugSuggestion.lines(DebugFilter(parsing: "kafka:*,x"), names, source: "SHOP_DEBUG")
    #expect(
      lines == [
        "SHOP_DEBUG: kafka:* matches no channel known yet; SHOP_DEBUG=? lists them",
        "SHOP_DEBUG: x matches no channel known yet; SHOP_DEBUG=? lists them",
      ])
  }

  @Test func levelsForLoggersAreNoChannels() {
    #expect(DebugSuggestion.lines(DebugFilter(parsing: "shop.*=trace,app:*"), names, source: "DEBUG") == [])
  }

  @Test func whoseChannelsAreUnknownIsToldNothing() {
    #expect(DebugSuggestion.lines(DebugFilter(parsing: "ap:*"), [], source: "DEBUG") == [])
  }

  @Test(arguments: [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("same", "same", 0)])
  func distanceIsLevenshteins(left: String, right: String, distance: Int) {
    #expect(DebugSuggestion.distance(Array(left.utf8), Array(right.utf8)) == distance)
    #expect(DebugSuggestion.distance(Array(right.utf8), Array(left.utf8)) == distance)
  }

  @Test func aPatternCannotSteerTheTerminal() {
    let line = DebugSuggestion.lines(DebugFilter(parsing: "\u{1B}[2Japp\u{202E}"), names, source: "DEBUG").joined()
    #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
  }

  /// Thousands of channels and patterns: a few lines, and the nearest name is still found.
  @Test func aLongListIsAnsweredBriefly() {
    let names = (0..<5000).map { "service:module\($0):part" } + ["shop:db"]
    let patterns = ["shop:bd"] + (0..<1000).map { "nothing\($0):*" } + [String(repeating: "x*", count: 10_000)]
    let lines = DebugSuggestion.lines(DebugFilter(parsing: patterns.joined(separator: ",")), names, source: "DEBUG")
    #expect(lines.count == 10)
    #expect(lines.first?.contains("did you mean shop:db?") == true)
  }
}
