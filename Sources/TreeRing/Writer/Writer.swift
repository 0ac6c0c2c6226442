import CTreeRing
import Glibc
import Synchronization

/// The background writer: one thread that drains this process's rings into its sinks, and sleeps when there is nothing to do.
///
/// Sleeping. The writer first naps, each time twice as long up to half a millisecond, so that a busy producer is not asked to wake it for every record and one
/// that waits for room does not wait for the nap; then it parks:
///
/// 1. sets the parked bit in every ring's attention word,
/// 2. issues `membarrier`,
/// 3. looks at the heads once more, and
/// 4. waits on the doorbell, without a timeout: an idle process does not wake up at all, unless a sink has asked for it (a file to be put aside at midnight).
///
/// Where membarrier is refused, step 4 waits 5 ms at most.
///
/// **Why no record is slept through.** A producer (a) stores its head and (b) loads the attention word, in this order in its program, but without a fence: the processor
/// may do (b) first. The writer (1) sets the bit, (2) the barrier, (3) loads the head. membarrier(2) makes every thread of the process pass a full barrier while the
/// call lasts (one that does not run passes it where it was switched out). For a given record that moment lies
///
/// - behind (a): then the head is visible before (2) returns, and (3) finds it; or
/// - before (a), and so before (b): then (b) comes after (1), and finds the bit.
///
/// There is no third case. A producer that finds the bit takes it away and rings; so a bit that is gone, and that the writer did not clear itself, means a ring on its
/// way. A ring stores 1 and wakes. It is not lost either: the writer stores 0 before (1), with a full barrier before the heads are read, so a 1 that this
/// overwrites belongs to a record that the pass behind it sees; and a 1 that comes later is what the kernel compares with, under the lock that a waker takes as well, before
/// it puts the writer to sleep (FUTEX_WAIT, futex(2)). A ring made after (1) has the bit from the beginning.
@safe
final class Writer: @unchecked Sendable {  // `drain`, `predecessors`: the thread alone, until `join`
  private let drain: Drain
  private let predecessors: Predecessors?
  private let doorbell: UnsafeMutablePointer<UInt32>
  private let hasBarrier: Bool
  private let flushWanted = Atomic<UInt32>(0)
  private let flushDone: UnsafeMutablePointer<UInt32>
  private let hasEnded: UnsafeMutablePointer<UInt32>
  private let isStopping = Atomic<Bool>(false)
  private let sinkErrors = Atomic<UInt64>(0)
  private let withheld = Atomic<UInt64>(0)
  private var thread = pthread_t()
  /// Set before the thread starts.
  private var options = LogConfiguration.WriterThread()

  private static let shortestNap: Int64 = 16_000
  private static let longestNap: Int64 = 500_000
  private static let napsBeforeParking = 12
  /// Between two looks at a sink that does not work: a stop whose ring of the doorbell came too early is not kept waiting for longer.
  private static let longestWait: Int64 = 100_000_000
  /// How often a slow reader is looked at while nothing else is to be done.
  private static let stallNap: Int64 = 5_000_000

  /// - Parameter predecessors: what earlier runs left, which this thread writes out as well.
  init(_ drain: Drain, predecessors: Predecessors? = nil) {
    self.drain = drain
    drain.complain = { Syscalls.complain($0) }
    self.predecessors = predecessors
    unsafe doorbell = tr_doorbell()
    unsafe flushDone = .allocate(capacity: 1)
    unsafe flushDone.initialize(to: 0)
    unsafe hasEnded = .allocate(capacity: 1)
    unsafe hasEnded.initialize(to: 0)
    hasBarrier = tr_membarrier_register() == 0
  }

  /// Copies of records that one sink has not got, though others have.
  var withheldCount: UInt64 { withheld.load(ordering: .relaxed) }

  /// Failed writes so far.
  var sinkErrorCount: UInt64 { sinkErrors.load(ordering: .relaxed) }

  /// Starts the thread.
  func start(_ options: LogConfiguration.WriterThread) throws(LogError) {
    self.options = options
    do { thread = try OwnThread.start { self.run() } } catch {
      throw LogError("cannot start the writer thread: \(error)")
    }
  }

  /// Waits until everything that was committed before the call has reached the sinks, at most 5 seconds.
  func flush() {
    let ticket = flushWanted.add(1, ordering: .acquiringAndReleasing).newValue
    for _ in 0..<500 {
      wake()
      let done = unsafe tr_load32(flushDone)
      if Int32(bitPattern: done &- ticket) >= 0 { return }
      unsafe _ = tr_futex_wait(flushDone, done, 10_000_000, false)
    }
  }

  /// Rings the doorbell. Safe in a signal handler.
  func wake() { unsafe Writer.ring(doorbell) }

  /// - Parameter isShared: who sleeps on it may be another process.
  static func ring(_ doorbell: UnsafeMutablePointer<UInt32>, isShared: Bool = false) {
    unsafe tr_store32(doorbell, 1)
    unsafe _ = tr_futex_wake(doorbell, isShared)
  }

  /// Ends the thread and waits for it, five seconds at most. Then the caller owns the drain, and what is left of the predecessors; nil when the thread hangs in a
  /// sink (a file on a server that is gone, a stopped terminal), and owns them still.
  func join() -> (Drain, Predecessors?)? {
    isStopping.store(true, ordering: .releasing)
    for _ in 0..<500 {
      wake()
      if unsafe tr_load32(hasEnded) != 0 {
        pthread_join(thread, nil)
        return (drain, predecessors)
      }
      unsafe _ = tr_futex_wait(hasEnded, 0, 10_000_000, false)
    }
    pthread_detach(thread)
    return nil
  }

  private func run() {
    applyOptions()
    tr_work_begin()
    defer {
      tr_work_end()
      unsafe tr_store32(hasEnded, 1)
      unsafe _ = tr_futex_wake(hasEnded, false)
    }
    predecessors?.settle()
    var naps = 0
    while !isStopping.load(ordering: .acquiring) {
      tr_work_pause()
      // A full barrier: what rang before this, the pass sees.
      unsafe _ = tr_and32(doorbell, 0)
      let wanted = flushWanted.load(ordering: .acquiring)
      let outcome = drain.pass()
      sinkErrors.store(drain.counters.sinkErrors, ordering: .relaxed)
      withheld.store(drain.counters.withheld, ordering: .relaxed)
      switch outcome {
      case .delivered:
        naps = 0
        _ = predecessors?.step()
      case .failed: sleep(untilAttempt(hasRecords: true))
      case .behind: sleep(Self.stallNap)
      case .idle:
        // Once when the rings have become empty, and before parking: a nap between changes nothing for a sink.
        let parks = naps >= Self.napsBeforeParking
        let attention = naps == 0 || parks || isFlushUnanswered(wanted) ? drain.attend() : nil
        answerFlush(wanted)
        if predecessors?.step() == true { continue }
        if parks { park(until: deadline(attention)) } else { sleep(min(Self.shortestNap << naps, Self.longestNap)) }
        naps += 1
      }
    }
  }

  /// What the kernel refuses is told, and the thread runs without it.
  private func applyOptions() {
    unsafe _ = options.name.withCString { unsafe tr_set_thread_name($0) }
    if let nice = options.nice, tr_set_thread_nice(Int32(nice)) != 0 {
      Syscalls.complain("cannot give the writer thread the nice value \(nice): \(Errno.current)")
    }
    guard !options.cores.isEmpty else { return }
    var mask = [UInt64](repeating: 0, count: LogConfiguration.WriterThread.mostCores / 64)
    for core in options.cores where mask.indices.contains(core / 64) { mask[core / 64] |= 1 << UInt64(core % 64) }
    if unsafe tr_set_thread_cores(&mask, mask.count * 8) != 0 {
      Syscalls.complain("cannot keep the writer thread on the cores \(options.cores.sorted()): \(Errno.current)")
    }
  }

  private func isFlushUnanswered(_ wanted: UInt32) -> Bool { unsafe tr_load32(flushDone) != wanted }

  private func answerFlush(_ wanted: UInt32) {
    guard isFlushUnanswered(wanted) else { return }
    unsafe tr_store32(flushDone, wanted)
    unsafe _ = tr_futex_wake(flushDone, false)
  }

  /// How long until a sink that does not work is to be tried again. The doorbell ends the wait.
  private func untilAttempt(hasRecords: Bool) -> Int64 {
    guard let attempt = drain.nextAttempt(hasRecords: hasRecords) else { return Self.stallNap }
    let now = Syscalls.now(CLOCK_MONOTONIC)
    return attempt > now ? min(Int64(clamping: attempt - now), Self.longestWait) : Self.longestNap
  }

  /// The earlier of what the sinks have asked for and the next attempt with one that is behind, in nanoseconds since 1970.
  private func deadline(_ attention: UInt64?) -> UInt64? {
    guard drain.nextAttempt(hasRecords: false) != nil else { return attention }
    let attempt = Syscalls.now(CLOCK_REALTIME) + UInt64(max(untilAttempt(hasRecords: false), Self.stallNap))
    return min(attention ?? attempt, attempt)
  }

  private func sleep(_ nanoseconds: Int64) {
    tr_work_end()
    unsafe _ = tr_futex_wait(doorbell, 0, nanoseconds, false)
    tr_work_begin()
  }

  /// - Parameter deadline: when a sink has something to do, in nanoseconds since 1970; nil: never.
  private func park(until deadline: UInt64?) {
    setParked(true)
    if hasBarrier { _ = tr_membarrier() }
    if !hasUnread() { sleep(hasBarrier ? Self.patience(until: deadline) : 5_000_000) }
    setParked(false)
  }

  /// How long to wait, for ever when negative: a millisecond longer than asked, for the sleep goes by another clock than the deadline.
  private static func patience(until deadline: UInt64?) -> Int64 {
    guard let deadline else { return -1 }
    let now = Syscalls.now(CLOCK_REALTIME)
    return deadline > now ? Int64(clamping: min(deadline - now, 1 << 62)) + 1_000_000 : 1_000_000
  }

  private func setParked(_ parked: Bool) {
    for index in 0..<drain.source.ringCount {
      guard let ring = unsafe drain.source.ring(index) else { continue }
      let address = unsafe tr_ring_attention(ring)
      unsafe _ = parked ? tr_or32(address, TR_ATTENTION_PARKED) : tr_and32(address, ~TR_ATTENTION_PARKED)
    }
  }

  private func hasUnread() -> Bool {
    for index in 0..<drain.source.ringCount {
      guard let ring = unsafe drain.source.ring(index) else { continue }
      if unsafe tr_load64(ring) != ring.pointee.tail { return true }
    }
    return unsafe flushWanted.load(ordering: .acquiring) != tr_load32(flushDone)
      || isStopping.load(ordering: .acquiring)
  }
}
