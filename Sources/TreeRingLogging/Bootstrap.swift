public import Logging

/// Makes TreeRing the backend of every `Logger` of swift-log that is made from now on. Call it once, first in `main`; a second call of this or of swift-log's own
/// `bootstrap` is a programmer's mistake and traps.
///
/// ```swift
/// import TreeRingLogging
///
/// TreeRingLogging.bootstrap()
/// ```
///
/// It starts nothing: the first event, or the first question for a logger's level, starts logging from the environment (`TREERING_LEVEL`, `TREERING_SINK`, …). A
/// program that configures logging itself calls `LogSystem.start` before that.
///
/// - Parameters:
///   - metadataProvider: asked for fields of every event, trace ids for example; see ``TreeRingLogHandler/metadataProvider``.
///   - sourceLevel: see ``TreeRingLogHandler/sourceLevel``.
public func bootstrap(
  metadataProvider: Logging.Logger.MetadataProvider? = nil, sourceLevel: Logging.Logger.Level? = .error
) {
  LoggingSystem.bootstrap(
    { label, provider in
      var handler = TreeRingLogHandler(label: label, metadataProvider: provider)
      handler.sourceLevel = sourceLevel
      return handler
    }, metadataProvider: metadataProvider)
}
