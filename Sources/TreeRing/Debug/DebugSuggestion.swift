/// What a pattern that matches no channel was probably meant to be.
enum DebugSuggestion {
  /// One line for each pattern that matches none of `names`; none when nothing is known of the program's channels.
  ///
  /// - Parameter source: the variable that has them; nil when they come from somebody who asks right now.
  static func lines(_ filter: DebugFilter, _ names: [String], source: String?) -> [String] {
    guard !names.isEmpty else { return [] }
    // A pattern for loggers is not about channels.
    let levels = Set(filter.levels.map { "\($0.pattern)=" })
    let lonely = filter.names.filter { pattern in
      !levels.contains { pattern.hasPrefix($0) } && !names.contains { DebugFilter(parsing: pattern).isEnabled($0) }
    }
    return lonely.map { pattern in
      let guess = nearest(to: pattern, among: names).map { "did you mean \($0)?" }
      let told = "\(pattern.withoutControls) matches no channel known yet"
      guard let source else { return [told, guess].compactMap { $0 }.joined(separator: "; ") }
      return "\(source): \(told); \(guess.map { $0 + " " } ?? "")\(source)=? lists them"
    }
  }

  /// The channel, or for a pattern with a `*` at its end the family of channels, whose spelling is nearest; nil when none is near: at most a third of the
  /// letters may be wrong, or two.
  static func nearest(to pattern: String, among names: [String]) -> String? {
    let stem = pattern.hasSuffix("*") ? pattern.dropLast() : pattern[...]
    let candidates = pattern.hasSuffix("*") ? names.flatMap(families) : names
    let limit = max(2, stem.utf8.count / 3)
    var best: (distance: Int, name: String)?
    for name in candidates.sorted() {
      let distance = distance(Array(stem.utf8), Array(name.utf8))
      if distance <= limit, distance < stem.utf8.count, distance < best?.distance ?? .max { best = (distance, name) }
    }
    return best.map { ($0.name + (pattern.hasSuffix("*") ? "*" : "")).withoutControls }
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
