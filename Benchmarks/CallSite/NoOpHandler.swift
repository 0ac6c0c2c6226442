import Logging

/// What a call through swift-log costs when its handler does nothing: the events are made, and handed over.
struct NoOpHandler: LogHandler {
  var logLevel: Logging::Logger.Level = .info
  var metadata: Logging::Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logging::Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  @inline(never)
  func log(event: LogEvent) {}
}
