/// What a worker needs to know, read once at start: nothing on the path of a request looks at the environment again.
package struct CompaniesConfiguration: Sendable {
  /// How much a client is told about a failure.
  package enum Environment: String, Sendable {
    /// A 500 names the error, its type and the line that raised it.
    case development
    /// A 500 says that it is one, and the request id to ask for.
    case production
  }

  /// Where connections come from.
  package enum Listening: Sendable {
    /// A bound TCP socket that another process opened and shares (LISTEN_FDS). The edge takes it over and closes it at
    /// the end.
    case adopt(fileDescriptor: Int32)
    /// An address of our own; port 0 lets the kernel choose.
    case bind(host: String, port: Int)
  }

  /// Terse or talkative errors. `APP_ENV=production` is terse.
  package var environment: Environment
  /// Whether `/chaos/…` exists. Only with `COMPANIES_CHAOS=1`.
  package var isChaosEnabled: Bool
  /// Holds `companies.sqlite`. Created, mode 0750, when missing.
  package var dataDirectory: String
  /// The root of the static files. None: the embedded welcome page is the only one.
  package var staticFilesDirectory: String?
  /// Where connections come from.
  package var listening: Listening
  /// What one connection, and all of them together, may take.
  package var limits = EdgeLimits()
  /// How long each step of a graceful end may last.
  package var drain = DrainPolicy()
  /// Threads that carry connections. One: a supervisor runs a worker per core, and the handlers run on Swift's own
  /// pool.
  package var eventLoops = 1

  /// Reads `APP_ENV` and `COMPANIES_CHAOS` from `variables`; everything else is the caller's.
  package init(
    dataDirectory: String, listening: Listening, staticFilesDirectory: String? = nil, variables: [String: String]
  ) {
    self.dataDirectory = dataDirectory
    self.listening = listening
    self.staticFilesDirectory = staticFilesDirectory
    environment = variables["APP_ENV"] == "production" ? .production : .development
    isChaosEnabled = variables["COMPANIES_CHAOS"] == "1"
  }
}

/// What one connection, and all of them together, may take.
package struct EdgeLimits: Sendable {
  /// Open connections; one more is closed at once. Each holds a descriptor.
  package var connections = 8192
  /// The kernel's queue of connections not yet accepted. Adopting a socket would silently cut it to NIO's 128.
  package var backlog: Int32 = 4096
  /// Bytes of the request line and header fields together. More is answered with 431.
  package var headerBytes = 64 * 1024
  /// Header fields of one request.
  package var headerFields = 100
  /// Between requests, and until a request's head is complete.
  package var keepAlive: Duration = .seconds(60)
  /// Between our end of a connection and the peer's: time for it to read the last answer.
  package var lingering: Duration = .seconds(2)

  package init() {}
}

/// How long each step of a graceful end may last. The sum is the time a worker takes to stop, at the worst.
package struct DrainPolicy: Sendable {
  /// After accepting has stopped, for the connections already accepted to send their first request.
  package var settling: Duration = .milliseconds(100)
  /// For an idle connection to send one more request, which is answered with `Connection: close`.
  package var idle: Duration = .seconds(1)
  /// For requests under way. Then what is left is closed hard.
  package var deadline: Duration = .seconds(10)

  package init() {}
}
