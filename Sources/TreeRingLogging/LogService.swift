#if ServiceLifecycle
  internal import Dispatch
  public import ServiceLifecycle
  internal import TreeRing

  /// Ends logging with a service group: waits for the graceful shutdown, or the cancellation, of its group; then delivers everything that was logged,
  /// closes the stream of records, and returns.
  ///
  /// ```swift
  /// import Logging
  /// import ServiceLifecycle
  /// import TreeRingLogging
  ///
  /// let group = ServiceGroup(
  ///   services: [LogService(), database, server], gracefulShutdownSignals: [.sigterm], logger: logger)
  /// ```
  ///
  /// **List it first.** A group shuts its services down from the last to the first, and waits for each: what is first stops last, when no other service has
  /// anything to log any more. (A group that is *cancelled* stops all at once. What the others log while they end is then kept as well; see below.)
  ///
  /// A record that is logged after the end, by the group itself at level debug or by `main`, is not lost: it stays in a ring file in `TREERING_DIR`, and the
  /// next start of the program, or `treering recover`, writes it out. A program that says good-bye in `main` uses `LogService(.flush)`: the stream stays open until
  /// the process exits, and the exit handler closes it.
  ///
  /// A program needs no such service to have its records delivered at a normal exit. It is for those who want that to happen while the group is still
  /// ending, in order, and under its time limits.
  public struct LogService: Service {
    private let end: End

    /// What happens when the group ends.
    public enum End: Sendable {
      /// Everything is delivered and the stream is closed (`LogSystem.stop`).
      case stop
      /// Everything is delivered, and logging goes on (`LogSystem.flush`).
      case flush
    }

    /// A service that ends logging as `end` says.
    public init(_ end: End = .stop) { self.end = end }

    /// Runs until the group ends. Starts nothing: logging starts with the first record, or by `LogSystem.start`.
    ///
    /// The delivery takes as long as the sinks do, at most a few seconds with a sink that refuses. It blocks a thread of its own and none of the tasks'.
    public func run() async {
      // Cancelled or not: this is the end.
      try? await gracefulShutdown()
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          switch end {
          case .stop: LogSystem.stop()
          case .flush: LogSystem.flush()
          }
          continuation.resume()
        }
      }
    }
  }
#endif
