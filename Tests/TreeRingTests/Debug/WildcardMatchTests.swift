import TestSupport
import Testing

@testable import TreeRing

@Suite struct WildcardMatchTests {
  /// A matcher that goes back to every star needs more steps for these than can be counted.
  @Test(arguments: [
    ("*a*a*a*a*a*a*a*a*a*b", String(repeating: "a", count: 4_096)),
    (String(repeating: "*a", count: 500) + "b", String(repeating: "a", count: 2_000)),
    (String(repeating: "*", count: 1_000) + "b", String(repeating: "a", count: 2_000)),
    ("*" + String(repeating: "a", count: 500) + "b", String(repeating: "a", count: 2_000)),
  ])
  func takesNoMoreStepsThanPatternTimesName(pattern: String, name: String) {
    let limit = (pattern.utf8.count + 1) * (name.utf8.count + 1)
    let (answer, steps) = run(pattern: pattern, name: name, limit: limit)
    #expect(answer == false)
    #expect(steps <= limit)
  }

  @Test func agreesWithARecursiveMatcher() {
    var random = SeededGenerator()
    var matched = 0
    let rounds = 50_000
    for _ in 0..<rounds {
      let pattern = random.text(of: ["a", "b", "*", "*", ":"], upTo: 8)
      let name = random.text(of: ["a", "a", "b", ":", "*"], upTo: 10)
      let expected = recursivelyMatches(Array(pattern.utf8)[...], Array(name.utf8)[...])
      let limit = (pattern.utf8.count + 1) * (name.utf8.count + 1)
      let (answer, _) = run(pattern: pattern, name: name, limit: limit)
      #expect(answer == expected, "\(pattern) against \(name), seed \(random.seed)")
      matched += expected ? 1 : 0
    }
    #expect(matched > 1_000 && matched < rounds - 1_000, "both answers have to be exercised, seed \(random.seed)")
  }

  @Test func filtersAgreeWithNpmsOwnSteps() {
    var random = SeededGenerator()
    var enabled = 0
    for _ in 0..<50_000 {
      let spec = random.text(
        of: ["a", "a", "b", "*", "*", "-", ",", " ", "\r", "\n", "\u{301}", "\u{85}", "\u{feff}", "\u{2003}"], upTo: 12)
      let name = random.text(of: ["a", "b", "-", "\u{301}"], upTo: 4)
      let filter = DebugFilter(parsing: spec)
      let expected = npmEnables(name, spec: spec)
      #expect(filter.isEnabled(name) == expected, "\(spec.debugDescription), \(name), seed \(random.seed)")
      #expect(DebugFilter(parsing: filter.spec) == filter, "\(spec.debugDescription), seed \(random.seed)")
      enabled += expected ? 1 : 0
    }
    #expect(enabled > 1_000, "seed \(random.seed)")
  }

  /// Steps until there is an answer, or until one more than `limit` has been taken.
  private func run(pattern: String, name: String, limit: Int) -> (answer: Bool?, steps: Int) {
    var match = WildcardMatch()
    var steps = 0
    while steps <= limit {
      steps += 1
      if let answer = match.step(pattern: pattern.utf8.span, name: name.utf8.span) { return (answer, steps) }
    }
    return (nil, steps)
  }

  /// The definition of `*`, written down without a thought for speed.
  private func recursivelyMatches<Unit: BinaryInteger>(_ pattern: ArraySlice<Unit>, _ name: ArraySlice<Unit>) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    if first == 0x2A {
      return recursivelyMatches(pattern.dropFirst(), name)
        || (!name.isEmpty && recursivelyMatches(pattern, name.dropFirst()))
    }
    return first == name.first && recursivelyMatches(pattern.dropFirst(), name.dropFirst())
  }

  /// npm's `enable` and `enabled` on UTF-16 units, as JavaScript has them.
  private func npmEnables(_ name: String, spec: String) -> Bool {
    let separators: Set<UInt16> = [0x2C, 0x20, 0x0D, 0x0A, 0xFEFF, 0x2003]
    let tokens = Array(spec.utf16).split { separators.contains($0) }
    let skips = tokens.filter { $0.first == 0x2D }.map { $0.dropFirst() }
    let names = tokens.filter { $0.first != 0x2D }
    let units = Array(name.utf16)[...]
    return !skips.contains { recursivelyMatches($0, units) } && names.contains { recursivelyMatches($0, units) }
  }
}
