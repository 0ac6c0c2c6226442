/// Spells records, one line each.
protocol Formatter: AnyObject {
  /// Appends `record` with its line feed.
  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer)
  /// Appends a record that the reader of a ring makes itself.
  func append(_ notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer)
}

/// What a formatter knows of a record beside its bytes.
@unsafe
struct RecordContext {
  /// Nanoseconds since 1970.
  var time: UInt64
  var pid: UInt32
  /// `<stream id>.<index>`.
  var ring: String
  /// The label as the label table has it; nil: the record carries it, or the id is unknown.
  var label: UnsafeRawBufferPointer?
  /// Written after its process's death, by the next start of its program or by `treering recover`.
  var isRecovered = false
}

/// Records about the stream itself, which tell its account.
enum StreamNotice {
  /// Some calls of a ring left no record. `total` counts all that have been told of in this ring, with this notice: so each notice covers
  /// the stretch `total - count ..< total`, and one that is missing, or there twice, is seen.
  case dropped(cause: DropCause, byLevel: [(Level, UInt64)], total: UInt64, first: UInt64, last: UInt64)
  /// Calls that found no ring at all, in the whole process: `count` since the last such notice, `byLevel` and `total` since the start.
  case lost(byLevel: [(Level, UInt64)], count: UInt64, total: UInt64)
  /// Bytes of a ring that made no sense.
  case unreadable(bytes: UInt64, sequence: UInt64)
  /// The process will commit nothing more. Numbered in its ring 0. `lost` is the total of the calls that found no ring.
  case processClosed(rings: UInt32, lost: UInt64, sequence: UInt64)
  /// The ring will get nothing more.
  case ringClosed(committed: UInt64, dropped: UInt64)

  var message: StaticString {
    switch self {
    case .dropped: "records dropped"
    case .lost: "records dropped"
    case .unreadable: "records unreadable"
    case .processClosed: "process closed"
    case .ringClosed: "ring closed"
    }
  }

  var level: Level {
    switch self {
    case .dropped, .lost: .warning
    case .unreadable: .error
    case .processClosed, .ringClosed: .notice
    }
  }
}

extension LogFormat {
  func makeFormatter(colours: Bool) -> any Formatter {
    switch self {
    case .json: JSONFormatter()
    case .console: ConsoleFormatter(colours: colours)
    }
  }
}
