/// What is asked of a running process, and how it is spelled on its control socket: one line, `verb seconds argument`. In the argument a line feed is `\n` and a
/// backslash `\\`, so that the line ends where the command does: one that lacks its end was cut, and is not carried out.
package enum ControlCommand: Sendable, Equatable {
  /// Every channel, and how it stands.
  case list
  /// Exactly these channels on, in npm `debug`'s language.
  case enable(String, forSeconds: Int?)
  /// These in addition to what is on.
  case add(String, forSeconds: Int?)
  /// Every channel off.
  case disable(forSeconds: Int?)
  /// The levels of loggers.
  case levels
  /// New levels, as `TREERING_LEVEL` spells them.
  case setLevels(String, forSeconds: Int?)

  /// A year: no time box is longer.
  package static let longest = 366 * 86_400
  /// Bytes of a request.
  static let longestLine = 65_536
  /// The answer to a command whose end did not come in time.
  static let isLate = ControlLine("error", "the command did not end in time: it ends with a line feed")

  /// The line, without its end.
  package var line: String {
    switch self {
    case .list: "list"
    case .enable(let spec, let seconds): "enable \(seconds ?? 0) \(spec.onOneLine)"
    case .add(let spec, let seconds): "add \(seconds ?? 0) \(spec.onOneLine)"
    case .disable(let seconds): "disable \(seconds ?? 0)"
    case .levels: "levels"
    case .setLevels(let levels, let seconds): "levels \(seconds ?? 0) \(levels.onOneLine)"
    }
  }

  /// Takes a line apart; nil for any other.
  package init?(line: String) {
    // By scalars: a blank and a mark that combines with it are one Character.
    let parts = line.unicodeScalars.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
      .map { String($0) }
    if parts == ["list"] {
      self = .list
    } else if parts == ["levels"] {
      self = .levels
    } else {
      guard parts.count > 1, let number = Int(parts[1]), 0...Self.longest ~= number else { return nil }
      let seconds = number == 0 ? nil : number
      guard let argument = parts.count > 2 ? String(onOneLine: parts[2]) : "" else { return nil }
      switch (parts[0], parts.count) {
      case ("enable", 3): self = .enable(argument, forSeconds: seconds)
      case ("add", 3): self = .add(argument, forSeconds: seconds)
      case ("levels", 3): self = .setLevels(argument, forSeconds: seconds)
      case ("disable", 2): self = .disable(forSeconds: seconds)
      default: return nil
      }
    }
  }

  /// The verb, for the record of a change.
  var verb: String { String(line.prefix { $0 != " " }) }

  /// How long the change holds; nil for one that stays, and for a question.
  var seconds: Int? {
    switch self {
    case .list, .levels: nil
    case .enable(_, let seconds), .add(_, let seconds), .setLevels(_, let seconds), .disable(let seconds): seconds
    }
  }
}

/// One line of an answer: a kind and its columns, separated by tabs, which no column holds.
package struct ControlLine: Sendable, Equatable {
  /// `process`, `channel`, `level`, `note` or `error`.
  package let kind: String
  package let columns: [String]

  init(_ kind: String, _ columns: String...) {
    self.kind = kind
    self.columns = columns.map(\.withoutControls)
  }

  /// Reads a line as it was sent.
  package init(parsing line: some StringProtocol) {
    let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0).withoutControls }
    kind = parts.first ?? ""
    columns = Array(parts.dropFirst())
  }

  /// The column with a number; empty when there is none.
  package subscript(_ column: Int) -> String { columns.indices.contains(column) ? columns[column] : "" }

  var text: String { ([kind] + columns).joined(separator: "\t") + "\n" }
}

extension String {
  /// Without line feeds, and such that they can be put back.
  fileprivate var onOneLine: String {
    var text = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": text += "\\n"
      case "\\": text += "\\\\"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  /// What ``onOneLine`` was made of; nil for what it never makes.
  fileprivate init?(onOneLine text: String) {
    self = ""
    var rest = text.unicodeScalars.makeIterator()
    while let scalar = rest.next() {
      switch scalar {
      case "\n": return nil
      case "\\":
        switch rest.next() {
        case "n": unicodeScalars.append("\n")
        case "\\": unicodeScalars.append("\\")
        default: return nil
        }
      default: unicodeScalars.append(scalar)
      }
    }
  }
}
