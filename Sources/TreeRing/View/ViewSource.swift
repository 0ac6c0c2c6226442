/// Something that a view shows: the rings of processes, a file, a pipe. One thread at a time.
package protocol ViewSource: AnyObject {
  /// What is there already, in the order of time.
  ///
  /// - Parameter limit: how many items are wanted, the last ones; nil: all.
  func backlog(_ limit: Int?) throws(LogError) -> [ViewItem]
  /// What has come since, in the order of time. Never waits.
  ///
  /// - Parameter moment: one of ``RingObserver/moment()``: what was logged before comes now, what was logged later comes later, from every source.
  func look(until moment: UInt64) -> [ViewItem]
  /// Whether nothing can come any more.
  var isFinished: Bool { get }
  /// Whether the last look found anything, wanted or not: then it is worth looking again soon.
  var isBusy: Bool { get }
  /// A descriptor to wait on; nil: look again after a while.
  var descriptor: Int32? { get }
}

extension ViewSource {
  package var descriptor: Int32? { nil }
}

extension [ViewItem] {
  /// In the order of time; what has the same time stays in its order.
  package mutating func sortByTime() {
    // Mostly it is in order.
    if zip(self, dropFirst()).allSatisfy({ $0.time <= $1.time }) { return }
    self = enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
  }
}

/// How long to wait between two looks: a busy source is looked at every millisecond, for its ring may go round in a few; a quiet one up to 20 ms apart.
package struct ViewPace: Sendable {
  /// Milliseconds until the next look.
  package private(set) var milliseconds = 1

  private static let longest = 20

  package init() {}

  /// After a look.
  package mutating func note(isBusy: Bool) { milliseconds = isBusy ? 1 : min(milliseconds * 2, Self.longest) }
}
