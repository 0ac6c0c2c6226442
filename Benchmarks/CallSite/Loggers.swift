import Logging
import TreeRing

/// The loggers, in a file of their own: a call through a global of another file is where a lazy initialiser would show.
let log = TreeRing::Logger("benchmark.orders")
let debugChannel = DebugChannel("benchmark:orders")

/// swift-log's own handler, which formats and writes in the call.
let streamLog = {
  var logger = Logging::Logger(label: "benchmark.orders") { StreamLogHandler.standardOutput(label: $0) }
  logger.logLevel = .info
  return logger
}()
