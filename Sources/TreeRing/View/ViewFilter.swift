/// Which records a view shows. All conditions must hold.
package struct ViewFilter: Sendable {
  /// Lowest level, and exceptions for labels, as `TREERING_LEVEL` spells them.
  package var level: Level = .trace
  package var levels: [LogConfiguration.LevelRule] = []
  /// Labels and channels, in the language of `DEBUG`; nil: all.
  package var labels: DebugFilter?
  package var fields: [FieldCondition] = []
  package var pids: Set<UInt32> = []
  /// Whether the text of a record is wanted; nil: all.
  package var matchesText: (@Sendable (String) -> Bool)?

  package init() {}

  /// Whether lines that are no records can pass: they have a text, and nothing else to be asked about.
  package var passesPlainLines: Bool {
    level == .trace && levels.isEmpty && labels == nil && fields.isEmpty && pids.isEmpty
  }

  /// The cheap half, before a record is copied out of its ring.
  func passes(level: Level, label: UnsafeRawBufferPointer) -> Bool {
    guard unsafe level >= threshold(of: label) else { return false }
    guard let labels else { return true }
    return unsafe labels.isEnabled(label.assumingMemoryBound(to: UInt8.self).span)
  }

  /// The other half.
  func passesContent(_ record: RecordedLog) -> Bool {
    guard fields.allSatisfy({ $0.holds(record) }) else { return false }
    guard let matchesText else { return true }
    return matchesText(Self.text(of: record))
  }

  /// Whether a record is shown.
  package func passes(_ record: ViewedRecord) -> Bool {
    if !pids.isEmpty, record.pid.map({ !pids.contains($0) }) ?? true { return false }
    var label = record.log.label
    let isWanted = label.withUTF8 { unsafe passes(level: record.log.level, label: UnsafeRawBufferPointer($0)) }
    return isWanted && passesContent(record.log)
  }

  /// Whether a line that is no record is shown.
  package func passes(line: [UInt8]) -> Bool {
    passesPlainLines && (matchesText.map { $0(String(decoding: line, as: UTF8.self)) } ?? true)
  }

  /// What a text is looked for in.
  private static func text(of record: RecordedLog) -> String {
    ([record.label, record.message] + record.fields.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
  }

  /// The longest prefix wins.
  private func threshold(of label: UnsafeRawBufferPointer) -> Level {
    var best: (length: Int, level: Level) = (-1, level)
    for rule in levels {
      var prefix = Array(rule.prefix.utf8)
      // `shop.` covers `shop` as well.
      if prefix.last == UInt8(ascii: "."), label.count == prefix.count - 1 { prefix.removeLast() }
      if prefix.count > best.length, unsafe label.starts(with: prefix) { best = (prefix.count, rule.level) }
    }
    return best.level
  }
}

/// One condition on a field: `key`, `key=value`, `key!=value`, `key>number` and so on.
///
/// A value may have `*` for any characters, as a label may. A key with dots is a field of that name, or a member of a nested one.
package struct FieldCondition: Sendable, Equatable {
  package enum Comparison: String, Sendable, CaseIterable {
    // Those of two characters first: the first that fits is it.
    case differs = "!="
    case atLeast = ">="
    case atMost = "<="
    case equals = "="
    case greater = ">"
    case less = "<"
    case exists = ""
  }

  package let key: String
  package let comparison: Comparison
  package let value: String

  /// Reads a condition; nil when it has no key, or compares with what is no number where a number is needed.
  package init?(parsing text: String) {
    let (at, comparison) = Self.split(text)
    key = String(text[..<at])
    self.comparison = comparison
    value = String(text[at...].dropFirst(comparison.rawValue.count))
    guard !key.isEmpty else { return nil }
    switch comparison {
    case .greater, .less, .atLeast, .atMost: if Double(value) == nil { return nil }
    case .equals, .differs, .exists: break
    }
  }

  private static func split(_ text: String) -> (String.Index, Comparison) {
    for index in text.indices {
      for comparison in Comparison.allCases where comparison != .exists {
        if text[index...].hasPrefix(comparison.rawValue) { return (index, comparison) }
      }
    }
    return (text.endIndex, .exists)
  }

  /// Whether a record fulfils it. A field that is missing fulfils only `!=`.
  package func holds(_ record: RecordedLog) -> Bool {
    let found = record[key] ?? nested(record)
    guard let found else { return comparison == .differs }
    switch comparison {
    case .exists: return true
    case .equals: return matches(found)
    case .differs: return !matches(found)
    case .greater: return compare(found) { $0 > $1 }
    case .less: return compare(found) { $0 < $1 }
    case .atLeast: return compare(found) { $0 >= $1 }
    case .atMost: return compare(found) { $0 <= $1 }
    }
  }

  private func nested(_ record: RecordedLog) -> RecordedValue? {
    for dot in key.indices where key[dot] == "." {
      guard var value = record[String(key[..<dot])] else { continue }
      for part in key[dot...].dropFirst().split(separator: ".", omittingEmptySubsequences: false) {
        guard case .object(let members) = value, let member = members[String(part)] else { return nil }
        value = member
      }
      return value
    }
    return nil
  }

  private func matches(_ found: RecordedValue) -> Bool {
    if let number = found.doubleValue, let wanted = Double(value) { return number == wanted }
    // An array has a value when one of its elements has it.
    if case .array(let elements) = found, elements.contains(where: matches) { return true }
    let text = found.description
    return WildcardMatch.matches(pattern: value.utf8.span, name: text.utf8.span)
  }

  private func compare(_ found: RecordedValue, _ isRight: (Double, Double) -> Bool) -> Bool {
    guard let number = found.doubleValue ?? found.stringValue.flatMap(Double.init), let limit = Double(value) else {
      return false
    }
    return isRight(number, limit)
  }
}
