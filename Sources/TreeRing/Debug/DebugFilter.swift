/// What a value of `DEBUG` switches on: the grammar and the matching of npm `debug` 4.4.
///
/// ## Grammar
///
///     spec   = [ token *( separator token ) ]        separators are "," and JavaScript's \s, in runs
///     token  = pattern                               a name: switches matching channels on
///            | "-" pattern                           a skip: keeps matching channels off, whatever else says on
///     pattern = any characters; "*" stands for zero or more of any character, all others for themselves
///
/// One addition: a name of the form `pattern=level` (`shop.*=trace`) also sets the level of the loggers whose label matches. For channels it stays the
/// literal that it is to npm, so no string of npm's changes its meaning.
///
/// No value is invalid. Order does not matter, there are no words for yes and no, and skips alone enable nothing.
///
/// ## Why bytes
///
/// npm compares UTF-16 units, which gives the same answers as comparing UTF-8 bytes. Swift's `Character` and `==` do
/// not: `"\r\n"`, `",\u{301}"` and `"*\u{301}"` are single characters, and `"\u{e9}" == "e\u{301}"` holds. So tokens are
/// split by Unicode scalar and everything is compared byte by byte, equality of two filters included.
///
/// Immutable, hence safe from any thread. Parsing allocates; matching neither allocates nor blocks.
package struct DebugFilter: Sendable {
  /// The patterns that switch channels on, in the order they were given, duplicates kept.
  package let names: [String]

  /// The patterns that keep channels off, without their leading dash; an empty one keeps the empty name off.
  package let skips: [String]

  /// Levels for the loggers whose labels match, the longest pattern first.
  package let levels: [(pattern: String, level: Level)]

  /// Nothing is on: what an unset `DEBUG` means.
  package static let off = DebugFilter(parsing: nil)

  /// Parses a value of `DEBUG`; `nil` (unset) and blank text switch everything off. It cannot fail: whatever is not a
  /// separator, a leading dash or a `*` is taken literally. O(length of `spec`); allocates.
  package init(parsing spec: String?) {
    var names: [String] = []
    var skips: [String] = []
    for token in (spec ?? "").unicodeScalars.split(whereSeparator: \.separatesDebugPatterns) {
      if token.first == "-" {
        skips.append(String(token.dropFirst()))
      } else {
        names.append(String(token))
      }
    }
    self.names = names
    self.skips = skips
    levels = names.compactMap(Self.level(in:)).sorted { $0.pattern.utf8.count > $1.pattern.utf8.count }
  }

  /// `shop.*=trace` taken apart; nil where no level follows the last equals sign.
  private static func level(in name: String) -> (pattern: String, level: Level)? {
    guard let equals = name.utf8.lastIndex(of: UInt8(ascii: "=")), let level = Level(name: name[equals...].dropFirst())
    else { return nil }
    return (String(name[..<equals]), level)
  }

  /// The level of the loggers with a label, where the filter sets it. Same cost as ``isEnabled(_:)-(String)``.
  package func level(ofLabel label: Span<UInt8>) -> Level? {
    levels.first { WildcardMatch.matches(pattern: $0.pattern.utf8.span, name: label) }?.level
  }

  /// Whether the value asks for a list of all channels: one of its names is `?`.
  package var asksForList: Bool { names.contains("?") }

  /// The filter as one value that `init(parsing:)` takes back: names, then skips with their dash, joined by commas.
  /// This is what npm's `disable()` returns. Allocates.
  package var spec: String {
    (names + skips.map { "-" + $0 }).joined(separator: ",")
  }

  /// Whether a channel of this name is on: some name matches and no skip does.
  ///
  /// O(pattern × name) for each pattern at worst, never exponential; no allocation for native strings.
  package func isEnabled(_ name: String) -> Bool {
    isEnabled(name.utf8.span)
  }

  /// As ``isEnabled(_:)-(String)``, for a channel that knows its name as a literal.
  package func isEnabled(_ name: StaticString) -> Bool {
    // The span ends with the closure, which is as long as the buffer is promised to live.
    name.withUTF8Buffer { utf8 in unsafe isEnabled(Span(_unsafeElements: utf8)) }
  }

  /// As ``isEnabled(_:)-(String)``, for a name at hand as UTF-8 bytes.
  package func isEnabled(_ name: Span<UInt8>) -> Bool {
    firstMatch(in: skips, for: name) == nil && firstMatch(in: names, for: name) != nil
  }

  /// The pattern that switches the channel on: the first matching one of `names`, or `nil` when the channel is off,
  /// also when a skip is what keeps it off. Same cost as ``isEnabled(_:)-(String)``.
  package func matchingPattern(for name: String) -> String? {
    let utf8 = name.utf8.span
    return firstMatch(in: skips, for: utf8) == nil ? firstMatch(in: names, for: utf8) : nil
  }

  private func firstMatch(in patterns: [String], for name: Span<UInt8>) -> String? {
    patterns.first { WildcardMatch.matches(pattern: $0.utf8.span, name: name) }
  }
}

extension DebugFilter: Equatable {
  /// Same patterns in the same order, byte for byte. Two filters that are canonically equivalent in Unicode's sense
  /// match different channels, so they differ.
  package static func == (left: DebugFilter, right: DebugFilter) -> Bool {
    sameBytes(left.names, right.names) && sameBytes(left.skips, right.skips)
  }

  private static func sameBytes(_ left: [String], _ right: [String]) -> Bool {
    left.elementsEqual(right) { $0.utf8.elementsEqual($1.utf8) }
  }
}

extension Unicode.Scalar {
  /// A comma or JavaScript's `\s` (ECMA-262 22.2.2.9: WhiteSpace and LineTerminator).
  ///
  /// `Character.isWhitespace` is another set: it has U+0085 and U+001C–1F, and lacks U+FEFF.
  fileprivate var separatesDebugPatterns: Bool {
    switch value {
    case 0x2C: true  // the comma
    case 0x09...0x0D, 0x20: true  // TAB LF VT FF CR, SPACE
    case 0xA0, 0x1680, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: true  // Unicode's space separators
    case 0x2028, 0x2029: true  // line and paragraph separator
    case 0xFEFF: true  // the byte order mark
    default: false
    }
  }
}

/// One comparison of a name with a pattern in which `*` stands for any bytes, taken step by step.
///
/// It goes back to the latest `*` only: an earlier one never needs to take more, because what lies between the two has
/// been found at its earliest place already. Each retry starts one byte further into the name and walks forward
/// through the pattern, so there are at most `name + 1` walks of at most `pattern + 1` steps.
///
/// A struct with a `step`, so that a test can count the steps instead of measuring time.
struct WildcardMatch {
  private var nameIndex = 0
  private var patternIndex = 0

  /// Where to go on after a mismatch: behind the latest `*`, and the first name byte which that `*` does not take yet.
  private var retry: (patternIndex: Int, nameIndex: Int)?

  /// Whether the whole of `name` matches `pattern`. O(pattern × name), no allocation.
  static func matches(pattern: Span<UInt8>, name: Span<UInt8>) -> Bool {
    var match = WildcardMatch()
    while true {
      if let answer = match.step(pattern: pattern, name: name) { return answer }
    }
  }

  /// Looks at one byte of the pattern, the same two texts each time; the answer once there is one.
  mutating func step(pattern: Span<UInt8>, name: Span<UInt8>) -> Bool? {
    guard patternIndex < pattern.count else {
      return nameIndex == name.count ? true : goBack(in: name)
    }
    if pattern[patternIndex] == UInt8(ascii: "*") {
      patternIndex += 1
      retry = (patternIndex, nameIndex)
    } else if nameIndex == name.count {
      return false
    } else if pattern[patternIndex] == name[nameIndex] {
      patternIndex += 1
      nameIndex += 1
    } else {
      return goBack(in: name)
    }
    return nil
  }

  /// Lets the latest `*` take one byte more; `false` when there is none.
  private mutating func goBack(in name: Span<UInt8>) -> Bool? {
    guard let (patternIndex, nameIndex) = retry else { return false }
    self.patternIndex = patternIndex
    self.nameIndex = nameIndex + 1
    retry = (patternIndex, nameIndex + 1)
    return nil
  }
}
