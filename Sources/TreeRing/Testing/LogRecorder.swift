import Synchronization

/// Keeps records in memory, for a test to assert on, and lets nothing of them out: no ring file, no sink, no other test.
///
/// Code that is given its logger:
///
/// ```swift
/// let recorder = LogRecorder()
/// Checkout(log: recorder.logger("shop.checkout")).place(order)
/// #expect(recorder.records.map(\.message) == ["order 17 placed"])
/// #expect(recorder.records.first?["order.id"] == 17)
/// ```
///
/// Code that has loggers and debug channels of its own, as globals for instance, in tests that may run in parallel:
///
/// ```swift
/// try await recorder.recording { try await respond(to: request) }
/// ```
///
/// A record is here when the log call returns. Recording leaves the hot path of a log call alone: a recorder's loggers never find an
/// open gate, so each of their calls takes the slow side of the gate, and there its ring is exchanged for one of the recorder's. A call through a recorder allocates and
/// takes a lock; do not make one in a signal handler.
public final class LogRecorder: Sendable {
  /// Records below this level are off: their arguments are not evaluated.
  public let level: Level
  /// How many records are kept at most; what comes later is counted in ``discarded``.
  public let limit: Int
  private let filter: DebugFilter
  private let state = Mutex<State>(State())

  private struct State {
    var records: [RecordedLog] = []
    var discarded = 0
    var watchers: [Int: AsyncStream<RecordedLog>.Continuation] = [:]
    var nextWatcher = 0
  }

  /// An empty recorder.
  ///
  /// - Parameters:
  ///   - level: the lowest level that is recorded.
  ///   - debug: the debug channels that are on inside of `recording(_:)`, in the language of `DEBUG`.
  ///   - limit: how many records are kept at most.
  public init(level: Level = .trace, debug: String = "*", limit: Int = 100_000) {
    self.level = level
    self.limit = limit
    filter = DebugFilter(parsing: debug)
  }

  /// A logger whose records, and those of its child loggers, come here and go nowhere else. Allocates.
  public func logger(_ label: String) -> Logger {
    let name = RecordingName(label)
    return Logger(name: name.key, context: LogContext([], recording: Recording(recorder: self, name: name)))
  }

  /// What was recorded so far, in the order in which the calls ended.
  public var records: [RecordedLog] { state.withLock { $0.records } }

  /// How many records came after ``limit`` was reached.
  public var discarded: Int { state.withLock { $0.discarded } }

  /// Forgets what was recorded so far.
  public func removeAll() {
    state.withLock {
      $0.records = []
      $0.discarded = 0
    }
  }

  /// Whether a logger's record would be kept.
  func allows(_ level: Level) -> Bool { level >= self.level }

  /// Whether a debug channel is on.
  func allowsChannel(_ name: LogKey) -> Bool {
    unsafe filter.isEnabled(UnsafeBufferPointer(start: name.start, count: name.count).span)
  }

  func append(_ record: RecordedLog) {
    let watchers = state.withLock { state in
      if state.records.count < limit { state.records.append(record) } else { state.discarded += 1 }
      return Array(state.watchers.values)
    }
    for watcher in watchers { watcher.yield(record) }
  }
}

// MARK: waiting

extension LogRecorder {
  /// The first record that `isWanted`, as soon as it is there: at once when it has been recorded already. For code under test that logs from tasks of its own.
  ///
  /// - Parameter time: how long to wait at most.
  /// - Returns: nil when the time is over, or the waiting task is cancelled.
  public func first(
    within time: Duration = .seconds(10), where isWanted: @Sendable @escaping (RecordedLog) -> Bool
  ) async -> RecordedLog? {
    let (stream, number) = watch()
    defer { state.withLock { _ = $0.watchers.removeValue(forKey: number) } }
    return await withTaskGroup(of: RecordedLog?.self) { group in
      group.addTask {
        for await record in stream where isWanted(record) { return record }
        return nil
      }
      group.addTask {
        try? await Task.sleep(for: time)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }

  /// A stream that begins with what has been recorded already.
  private func watch() -> (AsyncStream<RecordedLog>, Int) {
    let (stream, continuation) = AsyncStream<RecordedLog>.makeStream()
    let number = state.withLock { state in
      for record in state.records { continuation.yield(record) }
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = continuation
      return state.nextWatcher
    }
    return (stream, number)
  }
}

// MARK: recording what has loggers of its own

extension LogRecorder {
  /// Who records the current task's calls, whatever logger or debug channel they go through.
  @TaskLocal private static var ofTask: LogRecorder?

  /// How many ``recording(_:)-(()(R))`` scopes are open. While there are any, no gate settles, so that every call asks.
  private static let scopes = Atomic<Int>(0)

  static var isRecording: Bool { scopes.load(ordering: .relaxed) > 0 }

  /// The recorder that a call belongs to: its logger's own, or the one of the task. Nil: the call goes to the process's rings.
  static func of(_ context: LogContext?) -> LogRecorder? {
    if let recording = context?.recording { return recording.recorder }
    return isRecording ? ofTask : nil
  }

  /// Records whatever `body` and the child tasks in it log, through any logger, debug channel or swift-log handler of TreeRing. Other tasks, other tests
  /// for instance, are not recorded, and what is recorded does not reach the process's log.
  ///
  /// A `Task` made in `body` is recorded too, as long as the scope lasts; a detached task and a thread that `body` starts are not.
  /// Cost: while any scope is open, every call in the process takes the slow side of its gate.
  public func recording<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    Self.open()
    defer { Self.close() }
    return try Self.bound(to: self, body)
  }

  /// Records whatever `body` and the child tasks in it log; the same for asynchronous code.
  public nonisolated(nonsending) func recording<Result>(
    _ body: nonisolated(nonsending) () async throws -> Result
  ) async rethrows -> Result {
    Self.open()
    defer { Self.close() }
    return try await Self.$ofTask.withValue(self, operation: body)
  }

  /// `withValue` rethrows without the type of the error.
  private static func bound<Result, Failure: Error>(
    to recorder: LogRecorder, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let outcome = $ofTask.withValue(recorder) { () -> Swift.Result<Result, Failure> in
      do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  private static func open() {
    scopes.add(1, ordering: .sequentiallyConsistent)
    // Whoever settles a gate looks at `scopes` afterwards: either it sees this scope, or this pass undoes what it has settled.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    Gates.loggers.reopen()
    Gates.channels.reopen()
  }

  private static func close() { scopes.subtract(1, ordering: .sequentiallyConsistent) }
}
