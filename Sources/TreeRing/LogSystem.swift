import CTreeRing
import Glibc
import Synchronization

/// The process's logging as a whole: starting, flushing, stopping, counting.
///
/// Logging starts by itself, from the environment, on the first call of any logger that is not a compile-time `nothing`. Calling ``start(_:)`` first in `main` is for
/// programs that configure it themselves.
public enum LogSystem {
  /// Starts logging with `configuration`. Blocking; opens sinks, makes the ring file, starts the writer thread.
  ///
  /// After a ``stop()``, levels and debug channels that were changed while the program ran stay as they are, where `configuration` says the same of them as the one before.
  ///
  /// - Throws: ``LogError`` when logging runs already, or a sink or the ring directory cannot be used. Nothing is started then.
  public static func start(_ configuration: LogConfiguration) throws(LogError) {
    guard enterStarting() else {
      throw LogError("logging runs already: call LogSystem.start before the first log call")
    }
    do {
      try begin(configuration, isFallbackAllowed: false)
    } catch {
      leaveStarting(.idle)
      throw error
    }
    leaveStarting(.running)
  }

  /// Returns when every record committed before the call has reached its sinks, or after 5 seconds. Blocking. Never call it in a signal handler.
  public static func flush() {
    guard let session = LogSession.current else { return }
    if let writer = session.writer { writer.flush() } else { session.waitForCollector(seconds: 5) }
  }

  /// Has the file sinks look at once whether their paths lead to other files now, and returns when they have, or after 5 seconds. Blocking. Never call it in a signal handler.
  ///
  /// They look before each batch anyway, so a program needs neither this nor a signal for `logrotate` to work. It is for a program that logs nothing for hours
  /// and should not keep a renamed file open: call it where the program handles its own SIGHUP.
  public static func reopen() { LogSession.current?.writer?.flush() }

  /// Delivers everything, closes the stream, and ends the writer thread. Blocking, 2 seconds at most when a sink refuses. A call after this is not lost: it
  /// stays in a new ring file, for `treering recover` or the next start. Of several threads that stop at once one does it, and the others wait for it.
  public static func stop() {
    if LogSession.current != nil { RestraintSite.tellRest() }
    stops.add(1, ordering: .sequentiallyConsistent)
    let taken = LogSession.takeCurrent()
    defer { if taken != nil { stops.subtract(1, ordering: .sequentiallyConsistent) } }
    guard let session = taken else { return waitForStop() }
    // Callers that come now wait for the two lines until `idle`.
    phase.store(.starting, ordering: .releasing)
    // From here on a call that needs a ring starts anew, while this session is delivered.
    tr_set_producer(nil)
    wasStopped.store(true, ordering: .releasing)
    phase.store(.idle, ordering: .releasing)
    session.stop()
  }

  /// Threads that take the session away now, and deliver what it has.
  private static let stops = Atomic<Int>(0)

  /// The program must not end, which is where a stop comes from as a rule, while another thread delivers the last records.
  private static func waitForStop() {
    stops.subtract(1, ordering: .sequentiallyConsistent)
    var patience = 5000
    while patience > 0, stops.load(ordering: .sequentiallyConsistent) > 0 {
      Syscalls.sleep(nanoseconds: 1_000_000)
      patience -= 1
    }
  }

  /// What has happened so far. Cost: a pass over the rings' headers.
  public static var counters: LogCounters { LogSession.current?.counters ?? LogCounters() }

  // MARK: starting

  /// Where the process is.
  enum Phase: UInt8, AtomicRepresentable {
    case idle
    case starting
    case running
  }

  static let phase = Atomic<Phase>(.idle)
  private static let starter = Atomic<Int32>(0)
  private static let wasStopped = Atomic<Bool>(false)

  private static func enterStarting() -> Bool {
    let entered = phase.compareExchange(expected: .idle, desired: .starting, ordering: .acquiringAndReleasing).exchanged
    if entered { starter.store(tr_gettid(), ordering: .releasing) }
    return entered
  }

  private static func leaveStarting(_ next: Phase) {
    starter.store(0, ordering: .releasing)
    phase.store(next, ordering: .releasing)
  }

  /// Starts from the environment when nothing has been started. False only inside of starting itself, on the same thread.
  @usableFromInline
  static func isStartedOrStarts() -> Bool {
    if phase.load(ordering: .acquiring) == .running { return true }
    if enterStarting() {
      startFromEnvironment()
      leaveStarting(.running)
      return true
    }
    while phase.load(ordering: .acquiring) == .starting {
      if starter.load(ordering: .acquiring) == tr_gettid() { return false }
      Syscalls.sleep(nanoseconds: 100_000)
    }
    return true
  }

  private static func startFromEnvironment() {
    let configuration = LogSession.lastConfiguration ?? .environment()
    do {
      try begin(configuration, isFallbackAllowed: true)
    } catch {
      Syscalls.complain("\(error); records are not written")
    }
  }

  /// Makes the session. With the fallback, what fails is told on standard error and replaced by what works: logging never stops a program.
  private static func begin(_ configuration: LogConfiguration, isFallbackAllowed: Bool) throws(LogError) {
    let isAfterlife = wasStopped.load(ordering: .acquiring) && isFallbackAllowed
    RedactionTable.install(configuration.redactedKeys)
    let last = LogSession.lastConfiguration
    let session = try LogSession(configuration, isAfterlife: isAfterlife, isFallbackAllowed: isFallbackAllowed)
    let filter = DebugFilter(parsing: configuration.debug)
    // With nobody there to watch the time, what has a limit ends at once.
    let now = session.isControlled ? Syscalls.now(CLOCK_MONOTONIC) : .max
    if LogPolicy.update({ $0.restarting(configuration, after: last).fallingBack(now: now) }) == nil {
      LogPolicy.current = LogPolicy(level: configuration.level, rules: configuration.levels, filter: filter)
    }
    LogSession.current = session
    wasStopped.store(false, ordering: .releasing)
    tr_at_exit { LogSystem.stop() }
    tr_at_fork { LogSystem.forked() }
    if !isAfterlife { DebugListing.answer(filter, source: configuration.debugSource) }
  }

  /// In a forked child: nothing of the parent's is used again. The child starts anew with its first call.
  private static func forked() {
    LogSession.abandon()
    stops.store(0, ordering: .releasing)
    RestraintSite.forget()
    phase.store(.idle, ordering: .releasing)
  }

  /// Bytes of the largest record that the rings take.
  package static var largestRecord: Int {
    guard let producer = unsafe tr_producer() else { return RecordLayout.largestRecord }
    return unsafe min(Int(producer.pointee.header.pointee.ring_capacity) / 8, RecordLayout.largestRecord)
  }

  // MARK: what the call path asks

  static func threshold(of label: LogKey) -> UInt8 { LogPolicy.current?.threshold(of: label) ?? Gates.closed }

  /// Wakes whoever drains: the writer thread, or the collector in another process. Safe in a signal handler. A collector that is woken too late, because the file
  /// has just been replaced by another, looks by itself soon.
  static func wakeConsumer() {
    if let producer = unsafe tr_producer(), unsafe tr_load32(tr_header_bell_is_rung(producer.pointee.header)) != 0 {
      unsafe Writer.ring(tr_header_bell(producer.pointee.header), isShared: true)
    } else {
      unsafe Writer.ring(tr_doorbell())
    }
  }
}
