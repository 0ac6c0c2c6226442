import Logging
import TreeRing
import TreeRingLogging

/// The loggers, in a file of their own: a call through a global of another file is where a lazy initialiser would show.
let log = TreeRing::Logger("benchmark.orders")
let debugChannel = DebugChannel("benchmark:orders")
/// A channel that is on: being off beside it must cost what being off alone costs.
let channelThatIsOn = DebugChannel("benchmark:elsewhere")

/// swift-log's own handler, which formats and writes in the call.
let streamLog = swiftLog { StreamLogHandler.standardOutput(label: $0) }
/// TreeRing behind swift-log.
let treeRingLog = swiftLog { TreeRingLogHandler(label: $0) }
/// Nothing behind swift-log.
let noOpLog = swiftLog { _ in NoOpHandler() }

/// The same, with metadata of their own.
let streamLogWithContext = withContext(streamLog)
let treeRingLogWithContext = withContext(treeRingLog)
let noOpLogWithContext = withContext(noOpLog)

private func swiftLog(_ handler: (String) -> any LogHandler) -> Logging::Logger {
  var logger = Logging::Logger(label: "benchmark.orders", factory: handler)
  logger.logLevel = .info
  return logger
}

private func withContext(_ logger: Logging::Logger) -> Logging::Logger {
  var logger = logger
  logger[metadataKey: "order.id"] = .stringConvertible(Order.placed.id)
  logger[metadataKey: "user"] = .string(Order.placed.user)
  logger[metadataKey: "order.total"] = .stringConvertible(Order.placed.total)
  return logger
}
