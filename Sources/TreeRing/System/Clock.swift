import CTreeRing
import Glibc

/// Turns a producer's ticks into nanoseconds since 1970, by a line through two moments that were seen on both clocks: the producer's start and now.
///
/// The further apart the two, the better the period: an error of 100 ns in reading them is 1 ns per tick-second after 100 s. A record is at most as
/// old as the line is long, so the same 100 ns bound its time, too. `CLOCK_REALTIME` may be stepped; decoded times are clamped
/// monotone per ring by the reader.
package struct TickClock: Sendable {
  private var baseTicks: UInt64
  private var baseNanoseconds: UInt64
  private var period: Double
  private let start: Moment

  /// One moment on both clocks.
  package struct Moment: Sendable {
    package var ticks: UInt64
    package var nanoseconds: UInt64

    /// Now, read three times; the reading that took least time is the most exact.
    package static func now() -> Moment {
      var best = Moment(ticks: 0, nanoseconds: 0)
      var narrowest = UInt64.max
      for _ in 0..<3 {
        let before = tr_ticks()
        let time = Syscalls.now(CLOCK_REALTIME)
        let after = tr_ticks()
        if after &- before < narrowest {
          narrowest = after &- before
          best = Moment(ticks: before &+ narrowest / 2, nanoseconds: time)
        }
      }
      return best
    }
  }

  /// - Parameter period: nanoseconds per tick as the producer first measured it, for when now cannot help (a file from before a reboot).
  package init(start: Moment, period: Double) {
    self.start = start
    baseTicks = start.ticks
    baseNanoseconds = start.nanoseconds
    self.period = period.isFinite && period > 0 ? period : 1
  }

  /// Draws the line through the start and `now`, which must be of the same boot.
  package mutating func resynchronise(_ now: Moment) {
    guard now.ticks > start.ticks, now.nanoseconds > start.nanoseconds else { return }
    let elapsed = now.ticks - start.ticks
    if elapsed > 10_000 { period = Double(now.nanoseconds - start.nanoseconds) / Double(elapsed) }
    baseTicks = now.ticks
    baseNanoseconds = now.nanoseconds
  }

  /// Nanoseconds since 1970.
  package func nanoseconds(_ ticks: UInt64) -> UInt64 {
    let distance = Double(Int64(bitPattern: ticks &- baseTicks)) * period
    guard distance.magnitude < 9e18 else { return baseNanoseconds }
    return UInt64(clamping: Int64(clamping: baseNanoseconds).addingReportingOverflow(Int64(distance)).partialValue)
  }

  /// Sets this process's tick counter to the one that every producer and collector of the machine uses: the processor's counter where the kernel
  /// trusts it itself, `CLOCK_MONOTONIC` otherwise. A collector calls it, too: it may never log a record of its own. The first call reads a file.
  @discardableResult
  static func choose() -> UInt32 { chosen }

  private static let chosen: UInt32 = {
    let path = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
    let kind = TickClock.kind(ofClockSource: Syscalls.contents(of: path, limit: 64))
    if kind == TR_CLOCK_TSC { unsafe _ = tr_or32(tr_calls_of_process(), TR_CALL_TAKES_TSC) }
    return kind
  }()

  /// What the kernel keeps time by tells whether the counter can be trusted: where it stops, jumps or differs between cores the kernel has left it for another source.
  /// In a virtual machine the kernel may use its host's clock instead; then so do we.
  static func kind(ofClockSource name: [UInt8]?) -> UInt32 {
    #if arch(x86_64)
      let counter = "tsc"
    #elseif arch(arm64)
      let counter = "arch_sys_counter"
    #else
      let counter = "none"
    #endif
    let source = String(decoding: name ?? [], as: UTF8.self).prefix { $0 != "\n" }
    return UInt32(source == counter ? TR_CLOCK_TSC : TR_CLOCK_MONOTONIC)
  }

  /// Nanoseconds per tick, measured over a fifth of a millisecond. Spins.
  static func measurePeriod(_ kind: UInt32) -> Double {
    guard kind == TR_CLOCK_TSC else { return 1 }
    let first = Moment.now()
    var last = first
    while last.nanoseconds &- first.nanoseconds < 200_000 { last = Moment.now() }
    return Double(last.nanoseconds &- first.nanoseconds) / Double(max(last.ticks &- first.ticks, 1))
  }
}
