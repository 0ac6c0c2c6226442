extension StreamNotice {
  /// A value of a notice.
  enum Value {
    case number(UInt64)
    case text(String)
    /// Nanoseconds since 1970.
    case time(UInt64)
    case counts([(Level, UInt64)])
  }

  typealias Field = (name: String, value: Value)

  /// The number that the notice takes in its ring; nil: it takes none.
  var sequence: UInt64? {
    switch self {
    case .processClosed(_, _, let number): number
    case .ringClosed(let committed, _, _): committed
    default: nil
    }
  }

  /// What it says beside its message, by the names of the contract's record. Notices are rare: this allocates.
  var fields: [Field] {
    switch self {
    case .dropped(let cause, let byLevel, let total, let first, let last):
      let count = byLevel.reduce(0) { $0 &+ $1.1 }
      return Self.dropped(count, total, cause.name) + [("treering.levels", .counts(byLevel))] + Self.times(first, last)
    case .lost(let byLevel, let count, let total, let times):
      let levels: [Field] = byLevel.isEmpty ? [] : [("treering.levels", .counts(byLevel))]
      return Self.dropped(count, total, DropCause.noRing) + levels
        + (times.map { Self.times($0.lowerBound, $0.upperBound) } ?? [])
    case .unreadable(let bytes, let sequence):
      return [("treering.bytes", .number(bytes)), ("treering.from", .number(sequence))]
    case .processClosed(let rings, let lost, _):
      return [("treering.rings", .number(UInt64(rings))), ("treering.dropped", .number(lost))]
    case .ringClosed(let committed, let dropped, let filtered):
      let fields: [Field] = [("treering.committed", .number(committed)), ("treering.dropped", .number(dropped))]
      return fields + (filtered > 0 ? [("treering.filtered", .number(filtered))] : [])
    case .withheld, .untold, .sinkFailed, .sinkBack, .sinkFiltered: return outage
    }
  }

  /// What one sink has missed, and why.
  private var outage: [Field] {
    switch self {
    case .withheld(let withheld): return Self.fields(of: withheld)
    case .untold(let count, let total): return Self.dropped(count, total, "sink failed")
    case .sinkFailed(let sink, let error): return [("treering.sink", .text(sink)), ("treering.error", .text(error))]
    case .sinkFiltered(let sink, let level, let labels):
      let fields: [Field] = [("treering.sink", .text(sink)), ("treering.level", .text(level.name))]
      return fields + (labels.isEmpty ? [] : [("treering.labels", .text(labels.joined(separator: ",")))])
    case .sinkBack(let sink, let lost, let nanoseconds):
      return [
        ("treering.sink", .text(sink)), ("treering.lost", .number(lost)),
        ("treering.down_ms", .number(nanoseconds / 1_000_000)),
      ]
    default: return []
    }
  }

  private static func fields(of withheld: Withheld) -> [Field] {
    var fields: [Field] = [
      ("treering.dropped", .number(withheld.count)), ("treering.from", .number(withheld.sequences.lowerBound)),
      ("treering.to", .number(withheld.sequences.upperBound)), ("treering.cause", .text("sink failed")),
    ]
    if !withheld.byLevel.isEmpty { fields.append(("treering.levels", .counts(withheld.byLevel))) }
    if let times = withheld.times { fields += Self.times(times.lowerBound, times.upperBound) }
    return fields
  }

  private static func dropped(_ count: UInt64, _ total: UInt64, _ cause: String) -> [Field] {
    [
      ("treering.dropped", .number(count)), ("treering.dropped_total", .number(total)),
      ("treering.cause", .text(cause)),
    ]
  }

  private static func times(_ first: UInt64, _ last: UInt64) -> [Field] {
    [("treering.first", .time(first)), ("treering.last", .time(last))]
  }

  /// The same for formats without nesting: `treering.levels.info`.
  var flatFields: [Field] {
    fields.flatMap { field -> [Field] in
      guard case .counts(let counts) = field.value else { return [field] }
      return counts.map { ("\(field.name).\($0.0.name)", .number($0.1)) }
    }
  }

  /// Appends the fields as members of a JSON object, each with a comma in front. `time` appends an RFC 3339 time.
  func appendJSONMembers(to output: OutputBuffer, time: (UInt64) -> Void) {
    for (name, value) in fields {
      output.append(string: ",\"\(name)\":")
      switch value {
      case .number(let number): output.append(number)
      case .text(let text): output.append(string: JSONText.quote(text))
      case .time(let nanoseconds):
        output.append("\"")
        time(nanoseconds)
        output.append("\"")
      case .counts(let counts):
        output.append(string: "{" + counts.map { "\"\($0.0.name)\":\($0.1)" }.joined(separator: ",") + "}")
      }
    }
  }
}
