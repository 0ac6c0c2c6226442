/// Records counted by what they have in common: the text of their call in the source, and the level.
///
/// A record from a ring knows its call's text. One from a file does not: there the parts that differ from record to record are guessed. A word or number with a digit in it
/// becomes `#`, and what stands in quotes `"…"`.
package struct RecordGroups: Sendable {
  /// Records of one call.
  package struct Group: Sendable, Equatable {
    package let template: String
    package let level: Level
    package let count: Int

    /// One JSON object, without a line feed.
    package var json: String {
      "{\"count\":\(count),\"level\":\"\(level.name)\",\"template\":\(JSONText.quote(template))}"
    }
  }

  private struct Key: Hashable {
    let template: String
    let level: Level
  }

  private var counts: [Key: Int] = [:]

  /// Templates that are told apart; what comes beyond is counted under one name.
  package static let most = 10_000
  private static let others = "(other texts)"

  /// None.
  package init() {}

  /// Counts a record; lines that are none, and what a view itself says, are not counted.
  package mutating func add(_ item: ViewItem) {
    guard case .record(let record) = item else { return }
    let key = Key(template: record.log.template ?? Self.template(of: record.log.message), level: record.log.level)
    if counts.count >= Self.most, counts[key] == nil {
      counts[Key(template: Self.others, level: record.log.level), default: 0] += 1
    } else {
      counts[key, default: 0] += 1
    }
  }

  /// The most frequent first; of those the most severe.
  package var groups: [Group] {
    counts.map { Group(template: $0.key.template, level: $0.key.level, count: $0.value) }.sorted {
      ($1.count, $1.level.rawValue, $0.template) < ($0.count, $0.level.rawValue, $1.template)
    }
  }

  /// A table: count, level, text. Nothing in it steers a terminal.
  package var lines: [String] {
    let groups = groups
    let width = max("count".count, groups.map { "\($0.count)".count }.max() ?? 0)
    func line(_ count: String, _ level: String, _ text: String) -> String {
      String(repeating: " ", count: width - count.count) + count + "  "
        + level + String(repeating: " ", count: 8 - level.count) + "  " + text
    }
    return [line("count", "level", "text")]
      + groups.map { line("\($0.count)", $0.level.name, $0.template.withoutControls) }
  }

  /// What a text is without what differs, as far as that can be guessed.
  package static func template(of message: String) -> String {
    var rest = Array(message.unicodeScalars)[...]
    var template = String.UnicodeScalarView()
    while let scalar = rest.first {
      if scalar == "\"" || scalar == "'", let end = endOfQuotes(rest, isStart: isBoundary(template.last)) {
        template += "\(scalar)…\(scalar)".unicodeScalars
        rest = rest[(end + 1)...]
      } else if isWord(scalar) {
        let word = rest.prefix(while: isWord)
        rest = rest.dropFirst(word.count)
        if word.contains(where: isDigit) {
          rest = skippingFraction(rest)
          template.append("#")
        } else {
          template.append(contentsOf: word)
        }
      } else {
        template.append(scalar)
        rest = rest.dropFirst()
      }
    }
    return String(template)
  }

  /// Where the quotes that begin here end; nil for an apostrophe, and for quotes that do not end.
  private static func endOfQuotes(_ text: ArraySlice<Unicode.Scalar>, isStart: Bool) -> Int? {
    guard isStart, let quote = text.first else { return nil }
    return text.indices.dropFirst().first { index in
      text[index] == quote && isBoundary(index + 1 < text.endIndex ? text[index + 1] : nil)
    }
  }

  /// `12.5` is one number, `12.` the end of a sentence.
  private static func skippingFraction(_ text: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar> {
    var rest = text
    while let mark = rest.first, mark == "." || mark == ",", let next = rest.dropFirst().first, isDigit(next) {
      rest = rest.dropFirst().drop(while: isWord)
    }
    return rest
  }

  private static func isBoundary(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { !isWord($0) } ?? true }
  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { "0"..."9" ~= scalar }
  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    isDigit(scalar) || scalar == "_" || scalar.properties.isAlphabetic
  }
}
