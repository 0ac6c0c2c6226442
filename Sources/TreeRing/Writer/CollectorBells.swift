import CTreeRing
import Glibc

/// The sleep of a collector, which drains the rings of several processes: it ends when one of them logs, or closes its stream.
///
/// Each process has a bell in the header of its ring file, a word that is a futex for all of them. To sleep, the collector takes the writer thread's steps (`Writer` has
/// the reasons) for all processes together:
///
/// 1. stores 0 in each bell, and sets the parked bit in every ring,
/// 2. issues `membarrier` once, of the kind that reaches all processes that have registered for it, as producers in external mode do,
/// 3. looks at the heads once more, and
/// 4. waits on all bells at once (futex_waitv(2), Linux 5.16), and on one of its own, by which it is woken to be stopped.
///
/// A log call pays nothing for it: it looks at the attention word anyway, and enters the kernel only when the bit is set. Nothing in a file is relied on: a producer that
/// does not ring, or whose file was cut, is looked at when the time is over.
///
/// Where a process does not take part, where there are more than 63, or the kernel is older, the sleep is a short one: that is polling. And a death rings no bell, so even
/// the long sleep should not be longer than the collector may take to notice one.
@safe
package final class CollectorBells: @unchecked Sendable {  // one thread, but for `alarm`
  private let alarm: UnsafeMutablePointer<UInt32>
  private let hasBarrier: Bool
  private var wasUnread = false

  /// Nanoseconds between two looks at processes that do not ring.
  static let pollingPeriod: Int64 = 20_000_000
  private static let mostBells = 63

  package init() {
    unsafe alarm = .allocate(capacity: 1)
    unsafe alarm.initialize(to: 0)
    // Whoever issues the barrier need not be registered; that it is to be had at all, this finds out.
    hasBarrier = tr_membarrier_global() == 0
  }

  deinit { unsafe alarm.deallocate() }

  /// Ends the sleep, or the next one. From any thread, and in a signal handler.
  package func wake() { unsafe Writer.ring(alarm, isShared: true) }

  /// Sleeps without regard to bells.
  package func nap(nanoseconds: Int64) { unsafe wait([], nanoseconds) }

  /// Sleeps until one of the processes has something to be drained, at most so long.
  package func sleep(_ collectors: [RingCollector], nanoseconds: Int64) {
    collectors.forEach { $0.setParked(true) }
    defer { collectors.forEach { $0.setParked(false) } }
    if hasBarrier { _ = tr_membarrier_global() }
    guard !collectors.contains(where: { $0.hasUnread }) else { return lookAgain() }
    wasUnread = false
    let bells = unsafe collectors.prefix(Self.mostBells).compactMap { unsafe $0.bell }
    let allRing = unsafe hasBarrier && bells.count == collectors.count
    unsafe wait(bells, allRing ? nanoseconds : min(nanoseconds, Self.pollingPeriod))
  }

  /// Something came between the last look and the barrier. What makes no sense stays where it is, and must not keep the collector awake.
  private func lookAgain() {
    if wasUnread { nap(nanoseconds: 1_000_000) }
    wasUnread = true
  }

  private func wait(_ bells: [UnsafeMutablePointer<UInt32>], _ nanoseconds: Int64) {
    let words = unsafe [alarm] + bells
    if unsafe tr_futex_wait_any(words, words.count, nanoseconds) < 0, errno == ENOSYS || errno == EFAULT {
      unsafe _ = tr_futex_wait(alarm, 0, min(nanoseconds, Self.pollingPeriod), true)
    }
    // A full barrier: what the alarm was for, its owner sees now.
    unsafe _ = tr_and32(alarm, 0)
  }
}
