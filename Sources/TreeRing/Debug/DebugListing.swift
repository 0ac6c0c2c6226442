import CTreeRing
import Glibc
import Synchronization

/// The list of channels as people read it, and what is said about patterns that match none.
package struct DebugListing {
  /// One channel and how it stands.
  package struct Row: Sendable, Equatable {
    package var name: String
    package var isOn: Bool
    /// What switches it on: the pattern, or `by hand`.
    package var reason: String
    package var place: String
    package var about: String

    package init(name: String, isOn: Bool, reason: String, place: String, about: String) {
      self.name = name
      self.isOn = isOn
      self.reason = reason
      self.place = place
      self.about = about
    }
  }

  package let rows: [Row]

  /// Rows from elsewhere.
  package init(_ rows: [Row]) { self.rows = rows }

  /// - Parameter override: whether a channel is on or off by hand; nil when it is neither.
  package init(_ catalog: DebugCatalog, _ filter: DebugFilter, override: (String) -> Bool? = { _ in nil }) {
    rows = catalog.entries.map { entry in
      let byHand = override(entry.name)
      let pattern = filter.matchingPattern(for: entry.name)
      return Row(
        name: entry.name, isOn: byHand ?? (pattern != nil), reason: byHand != nil ? "by hand" : pattern ?? "",
        place: entry.place, about: entry.about)
    }
  }

  /// Lines in columns: name, on or off, why, place, description. Nothing in them steers a terminal, but for the colour that each name has in the output
  /// of its channel.
  package func lines(colours: Bool = false) -> [String] {
    guard !rows.isEmpty else {
      return ["  no debug channels are known (a stripped debug build shows only those that have been called)"]
    }
    let columns = rows.map { row in
      [row.name, row.isOn ? "on" : "off", row.reason, row.place, row.about].map(\.withoutControls)
    }
    let used = (0..<5).filter { index in columns.contains { !$0[index].isEmpty } }
    let widths = used.map { index in columns.map { $0[index].count }.max() ?? 0 }
    return columns.map { row in
      let cells = zip(used, widths).map { index, width in
        row[index] + String(repeating: " ", count: width - row[index].count)
      }
      let line = ("  " + cells.joined(separator: "  ")).trimmedAtEnd
      guard colours else { return line }
      let colour = DebugColor(for: row[0], in: .basic).code
      return "  \u{1B}[3\(colour);1m\(row[0])\u{1B}[0m\(line.dropFirst(2 + row[0].count))"
    }
  }

  // MARK: at the start of a program

  private static let isDone = Atomic<Bool>(false)

  /// What a configuration's value for `DEBUG` has to be answered with, once in a process: the list, or what its patterns were probably meant to be.
  /// Nothing is read for a value that names no channel, or every one.
  static func answer(_ filter: DebugFilter, source: String) {
    guard filter.names.contains(where: { $0 != "*" }), !isDone.exchange(true, ordering: .relaxed) else { return }
    let catalog = DebugCatalog.ofThisProcess()
    if filter.asksForList { return show(catalog, filter, source: source) }
    for line in DebugSuggestion.lines(filter, catalog.entries.map(\.name), source: source) { Syscalls.complain(line) }
  }

  /// Before main, for a program that may never log. Another variable than `DEBUG` is not known yet.
  static func answerAtStart() {
    let filter = DebugFilter(parsing: Syscalls.environment("DEBUG"))
    if filter.asksForList { answer(filter, source: "DEBUG") }
  }

  private static func show(_ catalog: DebugCatalog, _ filter: DebugFilter, source: String) {
    let program = ProcessIdentity.programName().withoutControls
    let title = "debug channels of \(program) (switch on with \(source)=NAME,PATTERN*,-EXCEPT):"
    var text = ([title] + DebugListing(catalog, filter).lines()).joined(separator: "\n") + "\n"
    text.withUTF8 { unsafe _ = Syscalls.writeAll(STDERR_FILENO, UnsafeRawBufferPointer($0)) }
  }
}

/// Called by a constructor in Ends.c.
@c(tr_list_channels_at_start)
func listChannelsAtStart() { DebugListing.answerAtStart() }

extension String {
  /// With `?` for every character that steers a terminal, or the order in which a line is shown.
  package var withoutControls: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.map { $0.properties.generalCategory == .control || $0.ordersText ? "?" : $0 }))
  }

  fileprivate var trimmedAtEnd: String {
    String(reversed().drop { $0 == " " }.reversed())
  }
}
