public import Logging
internal import TreeRing

/// swift-log's door to TreeRing: writes each event as one record into the calling thread's ring.
///
/// ```swift
/// LoggingSystem.bootstrap(TreeRingLogHandler.init)
/// ```
///
/// A handler is a value: changing the level, the metadata or the provider of one logger changes no other, copies included. The
/// destination is the process's, and every handler shares it.
///
/// Cost of an event: no lock, no system call and no allocation of its own (swift-log makes the strings of interpolated messages and the dictionaries of
/// metadata before the handler is called). Metadata go straight into the ring; values that are not numbers, strings and the like are asked for their
/// description, and so is an error, which allocates. It never blocks, unless `TREERING_WHEN_FULL=block` asks for that. Safe from any thread and task,
/// and inside of a `description` or a metadata provider that logs itself.
///
/// An event that finds its ring full is dropped and counted, and the loss is told in the log.
public struct TreeRingLogHandler: LogHandler {
  private var state: HandlerState

  /// Fields of every record of this logger. The provider's fields and those of the call replace fields of the same name.
  ///
  /// Strings, numbers, `Bool`s and durations, and arrays and dictionaries of these, are encoded by the first record that carries them, privacy marks and redacted keys
  /// included, and from then on copied, which takes some nanoseconds for all of them together. Any other value may be an object, so each record asks it for its description.
  public var metadata: Logging.Logger.Metadata {
    get { state.metadata }
    set { changingState().metadata = newValue }
  }

  /// Asked once for each event that is logged, on the thread that logs. Its fields replace those of ``metadata`` and give way to those of the call.
  public var metadataProvider: Logging.Logger.MetadataProvider? {
    get { state.provider }
    set { changingState().provider = newValue }
  }

  /// From this level on, records tell where they were logged: `source.module`, `source.file`, `source.function` and `source.line`. Nil: no record does.
  ///
  /// Errors are few, and the first question about one is where it comes from; in other records four more fields are mostly noise, and cost time. So a `source:`
  /// that a call below this level names is not kept. It is `error` when nobody sets it.
  public var sourceLevel: Logging.Logger.Level? {
    get { state.sourceLevel }
    set { changingState().sourceLevel = newValue }
  }

  /// Whether records tell which span of a trace they belong to: `trace_id`, `span_id` and `trace_flags`, of the current `ServiceContext` of
  /// swift-distributed-tracing. Fields of these names in metadata take their place. It needs the trait `Tracing` and a tracer that writes `traceparent` or B3 headers;
  /// outside of a span it costs one task-local load. It is true when nobody sets it.
  public var tellsTraces: Bool {
    get { state.tellsTraces }
    set { changingState().tellsTraces = newValue }
  }

  /// A handler for `label`, with the metadata provider that the process was bootstrapped with.
  ///
  /// The first handler of a label keeps a copy of that label for ever, so a label per request is a mistake: use metadata. Takes a lock.
  public init(label: String) { self.init(label: label, metadataProvider: LoggingSystem.metadataProvider) }

  /// A handler for `label` with a metadata provider of its own. Takes a lock; see ``init(label:)``.
  public init(label: String, metadataProvider: Logging.Logger.MetadataProvider?) {
    state = HandlerState(TreeRing.Logger(label), metadataProvider)
  }

  /// The level of this logger: the one it was given, else the one that is configured for its label (`TREERING_LEVEL=info,http=debug`), followed as it
  /// changes. Reading it starts logging from the environment when nothing has started it.
  public var logLevel: Logging.Logger.Level {
    get { state.level ?? Logging.Logger.Level(state.logger.threshold) }
    set { changingState().level = newValue }
  }

  /// One of the fields in ``metadata``.
  public subscript(metadataKey key: String) -> Logging.Logger.Metadata.Value? {
    get { state.metadata[key] }
    set { changingState().set(newValue, under: key) }
  }

  /// The state, which no other handler refers to from now on.
  private mutating func changingState() -> HandlerState {
    if !isKnownUniquelyReferenced(&state) { state = state.copy() }
    return state
  }

  /// Writes the event, whatever its level: swift-log has compared it with ``logLevel`` before.
  public func log(event: LogEvent) {
    if state.provider != nil || tellsSource(of: event) || state.tellsTraces && TraceContext.isUnderWay(state.traceKey) {
      return logAskingAround(event)
    }
    state.logger.record(Level(event.level), event.message.description, event.error) { place in
      // Most events have none, and are through here.
      event.metadata == nil && state.metadata.isEmpty ? place : place.adding(event.metadata, nil, state)
    }
  }

  private func tellsSource(of event: LogEvent) -> Bool {
    guard let sourceLevel = state.sourceLevel else { return false }
    return event.level >= sourceLevel
  }

  /// An event with fields that neither it nor the logger has.
  @inline(never)
  private func logAskingAround(_ event: LogEvent) {
    // Asked before the ring is taken, so that a provider or a tracer that logs does so in a call of its own.
    let provided = state.provider?.get()
    let trace = state.tellsTraces ? TraceContext.current : nil
    state.logger.record(Level(event.level), event.message.description, event.error) { place in
      var place = place
      if tellsSource(of: event) { place = place.writing(sourceOf: event) }
      if let trace, ![event.metadata, provided, state.metadata].contains(where: trace.isHidden) {
        place = place.writing(trace)
      }
      return place.adding(event.metadata, provided, state)
    }
  }
}
