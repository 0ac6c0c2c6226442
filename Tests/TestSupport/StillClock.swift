import CTreeRing
import Glibc

/// A clock that knows when the machine stood still: what is promised within a second is not broken by a virtual machine that gets no processor for as long.
///
/// On each processor a thread sleeps for two milliseconds again and again. Whenever it wakes much later than that, nothing has run there in between, or nothing to
/// speak of.
package final class StillClock: Sendable {
  private let watchers: [Watcher]

  /// Begins to watch, until this object is gone.
  package init() {
    watchers = (0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))).map(Watcher.init)
    for watcher in watchers {
      ReaderThread.start(for: watcher) { watcher in
        watcher.look()
        usleep(2000)
        return true
      }
    }
  }

  /// Seconds since 1970, as records have them.
  package static func now() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The seconds between two moments in which all processors ran.
  package func running(from begin: Double, to end: Double) -> Double {
    // A stall that is not over for a thread that watches would be missing.
    usleep(10_000)
    var (lost, last) = (0.0, begin)
    for stall in watchers.flatMap(\.all).sorted(by: { $0.begin < $1.begin }) {
      lost += max(0, min(stall.end, end) - max(stall.begin, last))
      last = max(last, stall.end)
    }
    return end - begin - lost
  }

  private struct Stall {
    var begin: Double
    var end: Double
  }

  /// What one thread saw, on one processor.
  private final class Watcher: Sendable {
    private let processor: Int
    private let stalls = Locked<[Stall]>([])
    /// When it looked last; nil before its first look.
    private let last = Locked<Double?>(nil)
    /// More than a thread that sleeps waits for its turn where others are busy.
    private static let longestNap = 0.05

    init(_ processor: Int) { self.processor = processor }

    var all: [Stall] { stalls.withLock { $0 } }

    func look() {
      let now = StillClock.now()
      let before = last.withLock { last in
        defer { last = now }
        return last
      }
      guard let before else { return stay() }
      if now - before > Self.longestNap { stalls.withLock { $0.append(Stall(begin: before, end: now)) } }
    }

    /// Keeps the calling thread on its processor. Where that may not be used, it watches another one.
    private func stay() {
      var mask = [UInt64](repeating: 0, count: processor / 64 + 1)
      mask[processor / 64] = 1 << UInt64(processor % 64)
      unsafe _ = tr_set_thread_cores(&mask, mask.count * 8)
    }
  }
}
