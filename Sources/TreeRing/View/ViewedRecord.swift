/// A record with where it came from, as a view shows it.
package struct ViewedRecord: Sendable {
  package var log: RecordedLog
  package var pid: UInt32?
  /// As JSON, without a line feed; empty when nobody wants it.
  package var json: [UInt8] = []

  package init(_ log: RecordedLog, pid: UInt32?, json: [UInt8] = []) {
    self.log = log
    self.pid = pid
    self.json = json
  }
}

/// One thing that a view shows.
package enum ViewItem: Sendable {
  case record(ViewedRecord)
  /// A line of a file that is no record: shown as it is, but for control characters.
  case line([UInt8], time: UInt64)
  /// What the view itself has to say.
  case notice(ViewNotice)

  /// Nanoseconds since 1970; of a line that has none, that of the one before.
  package var time: UInt64 {
    switch self {
    case .record(let record): record.log.nanosecondsSince1970
    case .line(_, let time): time
    case .notice(let notice): notice.time
    }
  }
}

/// Something about what is viewed, not from it.
package struct ViewNotice: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// A process has begun to log.
    case began
    /// It has closed its log, in order.
    case closed
    /// It is gone and has not closed its log: killed, or crashed.
    case died(unread: UInt64)
    /// Its ring file was cut, or makes no sense.
    case unreadable
    /// Records were overwritten before they could be shown.
    case missed(UInt64)
    /// Calls left no record.
    case dropped(UInt64)
    /// A file was replaced by a new one of its name.
    case rotated
    /// A file is shorter than it was.
    case truncated
    /// A file or a directory cannot be viewed.
    case refused(String)
  }

  package var kind: Kind
  package var time: UInt64
  /// The program, or the path of a file.
  package var subject: String
  package var pid: UInt32?

  package init(_ kind: Kind, time: UInt64, subject: String, pid: UInt32? = nil) {
    self.kind = kind
    self.time = time
    self.subject = subject
    self.pid = pid
  }

  /// In words, without the subject.
  package var text: String {
    switch kind {
    case .began: "began to log"
    case .closed: "ended, and closed its log"
    case .died(0): "is gone without closing its log: killed or crashed"
    case .died(let unread):
      "is gone without closing its log: killed or crashed; \(unread) records wait for `treering recover`"
    case .unreadable: "has a ring file that cannot be read any more"
    case .missed(let count): "wrote faster than it could be followed: \(count) records not shown (its sinks have them)"
    case .dropped(let count): "dropped \(count) records: its rings were full"
    case .rotated: "was rotated; going on with the new file"
    case .truncated: "was cut; going on from its beginning"
    case .refused(let reason): reason
    }
  }

  /// One word for programs.
  package var word: String {
    switch kind {
    case .began: "began"
    case .closed: "closed"
    case .died: "died"
    case .unreadable: "unreadable"
    case .missed: "missed"
    case .dropped: "dropped"
    case .rotated: "rotated"
    case .truncated: "truncated"
    case .refused: "refused"
    }
  }

  /// How much it matters.
  package var level: Level {
    switch kind {
    case .began, .closed, .rotated: .notice
    case .truncated, .missed, .dropped, .refused: .warning
    case .died, .unreadable: .error
    }
  }
}
