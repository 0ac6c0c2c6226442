/// Spells records, one line each.
package protocol Formatter: AnyObject {
  /// Appends `record` with its line feed.
  func append(_ record: RecordView, _ context: RecordContext, to output: OutputBuffer)
  /// Appends a record that the reader of a ring makes itself.
  func append(_ notice: StreamNotice, _ context: RecordContext, to output: OutputBuffer)
}

/// What a formatter knows of a record beside its bytes.
@unsafe
package struct RecordContext {
  /// Nanoseconds since 1970.
  var time: UInt64
  let pid: UInt32
  let ring: RingName
  /// The label as the label table has it; nil: the record carries it, or the id is unknown.
  var label: UnsafeRawBufferPointer?
  /// The label needs no escape in any format. False where nobody has looked.
  var isLabelPlain = false
  /// Written after its process's death, by the next start of its program or by `treering recover`.
  let isRecovered: Bool
  /// The ring's part of a JSON record.
  let origin: RingOrigin

  init(time: UInt64, pid: UInt32, ring: RingName, label: UnsafeRawBufferPointer?, isRecovered: Bool = false) {
    unsafe self.time = time
    unsafe self.pid = pid
    unsafe self.ring = ring
    unsafe self.label = label
    unsafe self.isRecovered = isRecovered
    unsafe origin = RingOrigin(pid: pid, ring: ring)
  }

  /// The label of a line that can go by a plan.
  @inline(__always)
  var plainLabel: UnsafeRawBufferPointer? { unsafe isLabelPlain && !isRecovered ? label : nil }
}

/// Records about the stream itself, which tell its account.
package enum StreamNotice {
  /// Some calls of a ring left no record. `total` counts all that have been told of in this ring, with this notice: so each notice covers
  /// the stretch `total - count ..< total`, and one that is missing, or there twice, is seen.
  case dropped(cause: DropCause, byLevel: [(Level, UInt64)], total: UInt64, first: UInt64, last: UInt64)
  /// Calls that found no ring at all, in the whole process: `count` since the last such notice, `total` since the start. Of what a predecessor's sink was not told, `byLevel` is
  /// empty and `times` nil.
  case lost(byLevel: [(Level, UInt64)], count: UInt64, total: UInt64, times: ClosedRange<UInt64>?)
  /// Bytes of a ring that made no sense.
  case unreadable(bytes: UInt64, sequence: UInt64)
  /// The process will commit nothing more. Numbered in its ring 0. `lost` is the total of the calls that found no ring.
  case processClosed(rings: UInt32, lost: UInt64, sequence: UInt64)
  /// The ring will get nothing more. `filtered` of its records were left out by this sink's own level and labels; 0 in a sink that has none.
  case ringClosed(committed: UInt64, dropped: UInt64, filtered: UInt64 = 0)
  /// Records of a ring that only this sink has not got, because it failed for too long.
  case withheld(Withheld)
  /// `count` calls of a ring left no record, `total` since the start, and the notices that told of them never reached this sink.
  case untold(count: UInt64, total: UInt64)
  /// The sink leaves out records below this level, and those of other labels (empty: of none). Told to it alone, once in each run.
  case sinkFiltered(sink: String, level: Level, labels: [String])
  /// A sink has stopped taking records. Told to the others, and to itself when it is back.
  case sinkFailed(sink: String, error: String)
  /// It takes records again, after so long; `lost` of them it has not got.
  case sinkBack(sink: String, lost: UInt64, nanoseconds: UInt64)

  /// A stretch of one ring's records that one sink has not got.
  package struct Withheld: Equatable {
    /// Numbers of the first and the last.
    var sequences: ClosedRange<UInt64>
    /// How many of these numbers it should have got; its filter would have left out the others.
    var count: UInt64
    /// The same by level; empty when that is not known any more.
    var byLevel: [(Level, UInt64)] = []
    /// The times of the first and the last, nanoseconds since 1970; nil when they are not known any more.
    var times: ClosedRange<UInt64>?

    package static func == (left: Self, right: Self) -> Bool {
      left.sequences == right.sequences && left.count == right.count && left.times == right.times
        && left.byLevel.elementsEqual(right.byLevel, by: ==)
    }
  }

  var message: StaticString {
    switch self {
    case .dropped, .lost, .withheld, .untold: "records dropped"
    case .unreadable: "records unreadable"
    case .processClosed: "process closed"
    case .ringClosed: "ring closed"
    case .sinkFailed: "sink failed"
    case .sinkFiltered: "sink filtered"
    case .sinkBack: "sink back"
    }
  }

  var level: Level {
    switch self {
    case .dropped, .lost, .withheld, .untold: .warning
    case .unreadable, .sinkFailed: .error
    case .processClosed, .ringClosed, .sinkBack, .sinkFiltered: .notice
    }
  }
}
