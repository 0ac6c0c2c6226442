import CTreeRing
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Ticks and times.
@Suite struct TickClockTests {
  @Test func theCounterIsUsedOnlyWhereTheKernelTrustsIt() {
    #if arch(x86_64)
      let trusted = "tsc"
    #else
      let trusted = "arch_sys_counter"
    #endif
    #expect(TickClock.kind(ofClockSource: Array("\(trusted)\n".utf8)) == TR_CLOCK_TSC)
    for other in ["hpet\n", "kvm-clock\n", "acpi_pm\n", "\(trusted)-early\n", ""] {
      #expect(TickClock.kind(ofClockSource: Array(other.utf8)) == TR_CLOCK_MONOTONIC, "\(other)")
    }
    #expect(TickClock.kind(ofClockSource: nil) == TR_CLOCK_MONOTONIC)
    let path = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
    #expect(TickClock.choose() == TickClock.kind(ofClockSource: Syscalls.contents(of: path, limit: 64)))
    #expect(tr_get_clock_kind() == TickClock.choose())
  }

  @Test func ticksGoOn() {
    var last = tr_ticks()
    for _ in 0..<10_000 {
      let next = tr_ticks()
      #expect(next >= last)
      last = next
    }
  }

  /// Between two readings of both clocks lies what the line through them says, whatever the period is.
  @Test func aLineThroughTwoMoments() {
    var clock = TickClock(start: .init(ticks: 1_000, nanoseconds: 5_000_000), period: 1)
    clock.resynchronise(.init(ticks: 1_001_000, nanoseconds: 5_500_000))
    #expect(clock.nanoseconds(1_001_000) == 5_500_000)
    #expect(clock.nanoseconds(501_000) == 5_250_000)
    #expect(clock.nanoseconds(1_000) == 5_000_000)
  }

  /// Nonsense moves nothing: a clock that stood still, one that was set back, a period that is none.
  @Test(arguments: [Double.nan, .infinity, 0, -1])
  func nonsenseIsIgnored(period: Double) {
    var clock = TickClock(start: .init(ticks: 1_000, nanoseconds: 5_000), period: period)
    #expect(clock.nanoseconds(1_010) == 5_010)
    clock.resynchronise(.init(ticks: 900, nanoseconds: 6_000))
    clock.resynchronise(.init(ticks: 2_000, nanoseconds: 4_000))
    #expect(clock.nanoseconds(1_010) == 5_010)
    #expect(clock.nanoseconds(.max) <= 5_010, "far away is before, not in the year 2500")
  }

  /// The clock is drawn anew in every pass, a little differently each time. Here it differs much, the other way about: what is read later says that it is older. Lines do not go
  /// back.
  @Test func timesOfARingNeverGoBack() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    let sink = MemorySink()
    let collector = try RingCollector(path: fixture.path) { _ in [sink] }
    let begin = tr_ticks()
    for number in 0..<50 {
      fixture.commit(EncodedRecord({ "number \(number, "number")" }))
      fixture.tick(record: number, begin - UInt64(number) * 1_000_000)
      _ = collector.step()
    }
    let times = try sink.records().compactMap(\.time)
    #expect(times.count == 50 && times == times.sorted())
  }
}
