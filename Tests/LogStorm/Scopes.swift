import Dispatch
import Glibc
import Synchronization
import TreeRing

/// Debug channels that are on for one task, and lines that are kept in case a task fails.
///
///     LogStorm scopes | recordings | aside-signals
enum Scopes {
  private static let channel = DebugChannel("scope:inner", "said in and out of scopes")
  private static let other = DebugChannel("other:inner", "never on")

  private struct Failure: Error {}

  /// Waits for asynchronous work. Modes are no tasks.
  private static func wait(_ body: @escaping @Sendable () async -> Void) {
    let done = DispatchSemaphore(value: 0)
    Task.detached {
      await body()
      done.signal()
    }
    done.wait()
  }

  static func run() {
    channel("before")
    wait {
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<4 { group.addTask { await scope(number) } }
        for number in 0..<4 { group.addTask { await outside(number) } }
      }
    }
    DebugChannel.withEnabled("scope:*") { channel("without waiting") }
    DebugChannel.withEnabled("scope:*", isAuthorized: { false }) { channel("not authorised") }
    DebugChannel.withEnabled(nil) { channel("not asked for") }
    channel("after \(channel.isEnabled, "on")")
  }

  private static func scope(_ number: Int) async {
    await DebugChannel.withEnabled("scope:*,-nothing") {
      channel("scope \(number, "number") begins, on: \(channel.isEnabled, "on")")
      other("never \(number, "number")")
      await withTaskGroup(of: Void.self) { group in
        for child in 0..<3 {
          group.addTask {
            await Task.yield()
            channel("child \(child, "child") of \(number, "number")")
          }
        }
      }
      async let binding: Void = channel("binding of \(number, "number")")
      await binding
      await Task { channel("task of \(number, "number")") }.value
      await Task.detached { channel("detached from \(number, "number")") }.value
      try? await Task.sleep(for: .milliseconds(1))
      channel("scope \(number, "number") ends")
    }
    channel("behind \(number, "number")")
  }

  private static func outside(_ number: Int) async {
    for turn in 0..<50 {
      channel("outside \(number, "number") \(turn, "turn")")
      await Task.yield()
    }
  }

  // MARK: recordings

  static func runRecordings() {
    wait {
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<8 {
          group.addTask {
            try? await FlightRecorder.withRecording(limit: 4) {
              for turn in 0..<6 {
                channel("turn \(turn, "turn") of \(number, "number")") { $0["scope.password"] = "correct-horse" }
                await Task.yield()
              }
              await Task { channel("child of \(number, "number")") }.value
              if number % 2 == 1 { throw Failure() }
            }
          }
        }
      }
    }
    channel("after")
  }

  // MARK: in signal handlers

  /// Lines that go aside in a handler which interrupts records, lines that go aside, and itself.
  static func runInSignals() {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in Scopes.interrupt() }
    action.sa_flags = SA_NODEFER | SA_RESTART
    unsafe sigaction(SIGALRM, &action, nil)
    log.notice("begins")
    channel("begins")
    setTimer(microseconds: 50)
    for number in 0..<LogStorm.argument(2, default: 20_000) {
      channel("line \(inner(number), "number") aside")
      log.info("record \(inner(number), "number")")
    }
    setTimer(microseconds: 0)
    LogStorm.say("\(interruptions.load(ordering: .relaxed))")
  }

  private static func setTimer(microseconds: Int) {
    let interval = timeval(tv_sec: 0, tv_usec: microseconds)
    var timer = itimerval(it_interval: interval, it_value: interval)
    unsafe setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }

  /// An argument that says something itself.
  @inline(never)
  private static func inner(_ number: Int) -> Int {
    if number % 3 == 0 { channel("inside \(number, "number")") }
    return number
  }

  private static let interruptions = Atomic<Int>(0)

  private static func interrupt() {
    interruptions.add(1, ordering: .relaxed)
    channel("interruption aside")
    log.warning("interruption")
  }
}
