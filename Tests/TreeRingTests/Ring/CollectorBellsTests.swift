import CTreeRing
import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// How a collector sleeps, and what ends its sleep. That it is woken by a program that logs, `WriterThreadTests` has.
@Suite struct CollectorBellsTests {
  private static let long: Int64 = 20_000_000_000
  private static let longNanoseconds = UInt64(long)

  /// A live process in external mode that rings, or does not.
  private func process(_ directory: TemporaryDirectory, rings: Bool = true) throws -> (RingFixture, RingCollector) {
    let fixture = try RingFixture(directory)
    unsafe tr_store32(tr_header_bell_is_rung(fixture.header), rings ? 1 : 0)
    // A new ring asks for a ring with its first record.
    unsafe _ = tr_and32(tr_ring_attention(fixture.ring(0)), ~TR_ATTENTION_PARKED)
    return (fixture, try RingCollector(path: fixture.path) { _ in [NullSink()] })
  }

  /// Nanoseconds that a sleep takes.
  private func duration(_ body: () -> Void) -> UInt64 {
    let begin = Syscalls.now(CLOCK_MONOTONIC)
    body()
    return Syscalls.now(CLOCK_MONOTONIC) - begin
  }

  /// What a call does after its commit.
  private func ring(_ fixture: RingFixture) {
    unsafe tr_store32(tr_header_bell(fixture.header), 1)
    unsafe _ = tr_futex_wake(tr_header_bell(fixture.header), true)
  }

  private func isParked(_ fixture: RingFixture) -> Bool {
    unsafe tr_load32(tr_ring_attention(fixture.ring(0))) & TR_ATTENTION_PARKED != 0
  }

  @Test(arguments: [1, 3])
  func aRingEndsTheSleep(processes: Int) throws {
    let directory = try TemporaryDirectory()
    let all = try (0..<processes).map { _ in try process(directory) }
    let bells = CollectorBells()
    let last = all[processes - 1].0
    let ringer = Thread {
      // Rings only when the collector has said that it sleeps.
      while !isParked(last) { usleep(100) }
      ring(last)
    }
    ringer.start()
    #expect(duration { bells.sleep(all.map(\.1), nanoseconds: Self.long) } < Self.longNanoseconds)
    for (fixture, _) in all { #expect(!isParked(fixture), "awake, it asks for no ring") }
  }

  @Test func aRecordThatIsThereAlreadyIsNotSleptThrough() throws {
    let directory = try TemporaryDirectory()
    let (fixture, collector) = try process(directory)
    fixture.commit(EncodedRecord({ "early" }))
    #expect(duration { CollectorBells().sleep([collector], nanoseconds: Self.long) } < Self.longNanoseconds)
    #expect(collector.step() == .delivered)
  }

  @Test func whoeverStopsTheCollectorWakesIt() throws {
    let directory = try TemporaryDirectory()
    let (fixture, collector) = try process(directory)
    let bells = CollectorBells()
    let stopper = Thread {
      while !isParked(fixture) { usleep(100) }
      bells.wake()
    }
    stopper.start()
    #expect(duration { bells.sleep([collector], nanoseconds: Self.long) } < Self.longNanoseconds)
    // Told before it sleeps: then it does not.
    bells.wake()
    #expect(duration { bells.sleep([collector], nanoseconds: Self.long) } < Self.longNanoseconds)
  }

  /// Its kernel refused the barrier, or there are too many: looked at again soon.
  @Test func whoDoesNotRingIsPolled() throws {
    let directory = try TemporaryDirectory()
    let (ringing, silent) = (try process(directory), try process(directory, rings: false))
    let bells = CollectorBells()
    #expect(duration { bells.sleep([ringing.1, silent.1], nanoseconds: Self.long) } < Self.longNanoseconds)
    let crowd = try (0..<70).map { _ in try process(directory) }
    #expect(duration { bells.sleep(crowd.map(\.1), nanoseconds: Self.long) } < Self.longNanoseconds)
  }

  /// A file that its owner cuts is an error and no SIGBUS, and does not keep the collector awake.
  @Test func aFileThatIsCutIsPolled() throws {
    let directory = try TemporaryDirectory()
    let (fixture, collector) = try process(directory)
    #expect(unsafe truncate(fixture.path, 0) == 0)
    let bells = CollectorBells()
    #expect(duration { bells.sleep([collector], nanoseconds: Self.long) } < Self.longNanoseconds)
  }

  /// A head that cannot be is no record: the collector may look once more, and then takes its time.
  @Test func nonsenseDoesNotKeepTheCollectorAwake() throws {
    let directory = try TemporaryDirectory()
    let (fixture, collector) = try process(directory)
    unsafe tr_store64(fixture.ring(0), 1 << 40)
    let bells = CollectorBells()
    let time = duration { for _ in 0..<20 { bells.sleep([collector], nanoseconds: Self.long) } }
    #expect(time >= 9_000_000, "each second look waits a millisecond")
  }
}
