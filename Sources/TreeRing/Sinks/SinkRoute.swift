/// One sink of a drain, with what is decided for it before it sees a record.
package struct SinkRoute {
  let sink: any Sink
  /// Its place in the ring file's journal; nil: what it has missed is not remembered over a crash.
  let slot: Int?
  /// Labels that it takes; nil: all.
  let labels: LabelFilter?
  /// Bytes of formatted records that are kept for it while it fails and others do not.
  let backlogLimit: Int

  package static let standardBacklog = 1_048_576

  package init(
    _ sink: any Sink, slot: Int?, labels: LabelFilter? = nil, backlogLimit: Int = SinkRoute.standardBacklog
  ) {
    self.sink = sink
    self.slot = slot
    self.labels = labels
    self.backlogLimit = backlogLimit
  }
}
