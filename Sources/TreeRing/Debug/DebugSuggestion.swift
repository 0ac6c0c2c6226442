/// What a pattern that matches no channel was probably meant to be.
enum DebugSuggestion {
  /// Patterns that are looked at, and lines that are said: nobody reads more, and each costs a look at every channel.
  private static let mostPatterns = 100
  private static let mostLines = 10
  /// A longer pattern is no misspelling of anything.
  private static let longestStem = 200

  /// One line for each pattern that matches none of `names`; none when nothing is known of the program's channels.
  ///
  /// - Parameter source: the variable that has them; nil when they come from somebody who asks right now.
  static func lines(_ filter: DebugFilter, _ names: [String], source: String?) -> [String] {
    guard !names.isEmpty else { return [] }
    // A pattern for loggers is not about channels.
    let levels = Set(filter.levels.map { "\($0.pattern)=" })
    let lonely = filter.names.prefix(mostPatterns).filter { pattern in
      let filter = DebugFilter(parsing: pattern)
      return !levels.contains { pattern.hasPrefix($0) } && !names.contains { filter.isEnabled($0) }
    }
    return lonely.prefix(mostLines).map { pattern in
      let guess = nearest(to: pattern, among: names).map { "did you mean \($0)?" }
      let told = "\(pattern.withoutControls) matches no channel known yet"
      guard let source else { return [told, guess].compactMap { $0 }.joined(separator: "; ") }
      return "\(source): \(told); \(guess.map { $0 + " " } ?? "")\(source)=? lists them"
    }
  }

  /// The channel, or for a pattern with a `*` at its end the family of channels, whose spelling is nearest; nil when none is near: at most a third of the
  /// letters may be wrong, or two.
  static func nearest(to pattern: String, among names: [String]) -> String? {
    let stem = letters(of: pattern.hasSuffix("*") ? pattern.dropLast() : pattern[...])
    guard stem.count <= longestStem else { return nil }
    let candidates = pattern.hasSuffix("*") ? names.flatMap(families) : names
    let limit = max(2, stem.count / 3)
    var best: (distance: Int, name: String)?
    for name in Set(candidates).sorted() {
      let letters = letters(of: name[...])
      // Of texts whose lengths differ by more, at least so many letters are missing.
      guard abs(letters.count - stem.count) <= min(limit, (best?.distance ?? .max) - 1) else { continue }
      let distance = distance(stem, letters)
      if distance <= limit, distance < stem.count, distance < best?.distance ?? .max { best = (distance, name) }
    }
    return best.map { ($0.name + (pattern.hasSuffix("*") ? "*" : "")).withoutControls }
  }

  /// In lower case: names differ by case, and to have taken the wrong one is the smallest mistake.
  private static func letters(of text: Substring) -> [UInt8] {
    text.utf8.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
  }

  /// `shop:db:pool` belongs to `shop:` and to `shop:db:`.
  private static func families(_ name: String) -> [String] {
    name.indices.filter { name[$0] == ":" }.map { String(name[...$0]) } + [name]
  }

  /// How many letters have to be put in, left out or changed to get from one text to the other (Levenshtein). O(product of the lengths).
  static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (index, byte) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for (column, other) in right.enumerated() {
        let change = diagonal + (byte == other ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(change, row[column] + 1, row[column + 1] + 1)
      }
    }
    return row[right.count]
  }
}
