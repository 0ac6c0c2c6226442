import CTreeRing
import Glibc
import TestSupport

@testable import TreeRing

/// A drain with rings of a test's own, a clock that the test moves, and the sinks under test.
final class DrainBench {
  let producer: Producer
  private(set) var drain: Drain
  private var attachment: RingAttachment?
  private(set) var complaints: [String] = []
  private var now: UInt64 = 1_000_000_000_000

  /// The rings, which outlive one consumer.
  final class Producer {
    let directory: TemporaryDirectory
    let fixture: RingFixture

    init(rings: Int) throws {
      directory = try TemporaryDirectory()
      fixture = try RingFixture(directory, rings: rings, ringSize: 65_536)
    }
  }

  init(
    _ sinks: [any Sink], rings: Int = 1, backlog: Int = SinkRoute.standardBacklog, requiresAll: Bool = false,
    continuing producer: Producer? = nil
  ) throws {
    self.producer = try producer ?? Producer(rings: rings)
    let attachment = try RingAttachment(path: self.producer.fixture.path, consumes: true)
    self.attachment = attachment
    let routes = sinks.enumerated().map { SinkRoute($0.element, slot: $0.offset, backlogLimit: backlog) }
    drain = Drain(attachment, routes: routes, requiresAll: requiresAll)
    drain.complain = { [unowned self] in complaints.append($0) }
    drain.monotonic = { [unowned self] in now }
  }

  /// Dies, as far as the rings can see.
  func forgetDrain() {
    attachment = nil
    drain = Drain(NoRings(), routes: [], requiresAll: false)
  }

  func log(_ count: Int, level: Level = .info, ring: Int = 0) {
    for number in 0..<count {
      producer.fixture.commit(EncodedRecord(level: level, { "record \(number, "number")" }), ring: ring)
    }
  }

  /// The sinks have readers that are threads or programs, and those may get no turn for as long as the machine likes: one that is slow, but reads, has real time to catch up
  /// before the bench's time goes on.
  var waitsForReaders = false

  private func waitForReaders() {
    let end = Syscalls.now(CLOCK_MONOTONIC) + 20_000_000_000
    while waitsForReaders, drain.lines.contains(where: \.isStalled), Syscalls.now(CLOCK_MONOTONIC) < end {
      _ = drain.pass(isFinal: true)
      usleep(500)
    }
  }

  /// Logs, and lets time pass for the sinks, until `condition` holds, ten seconds of real time at most. A real destination takes its own time to fail and to come back.
  func log(until condition: () throws -> Bool) throws {
    let end = Syscalls.now(CLOCK_MONOTONIC) + 10_000_000_000
    while try !condition(), Syscalls.now(CLOCK_MONOTONIC) < end {
      log(2)
      drainAll(milliseconds: 100)
      usleep(5000)
    }
  }

  /// Counts calls that found no room.
  func drop(_ count: UInt64, ring: Int = 0) {
    for _ in 0..<count { unsafe CallPath.countDrop(producer.fixture.ring(ring), .ringFull, .info) }
  }

  /// Counts calls of threads that could get no ring.
  func lose(_ count: UInt64, level: Level = .info) {
    let header = unsafe producer.fixture.header
    for _ in 0..<count { unsafe CallPath.countLost(header, level) }
  }

  /// One pass, after so much time.
  @discardableResult
  func pass(milliseconds: UInt64 = 0) -> Drain.Outcome {
    if milliseconds > 0 { waitForReaders() }
    now += milliseconds * 1_000_000
    return drain.pass(isFinal: true)
  }

  /// Passes until nothing is left to do, or nothing can be done.
  func drainAll(milliseconds: UInt64 = 0) {
    _ = pass(milliseconds: milliseconds)
    for _ in 0..<1000 where pass(milliseconds: 1) != .delivered { break }
    _ = pass()
  }

  func close() throws {
    waitForReaders()
    now += 10_000_000_000
    for _ in 0..<100 where drain.pass(isFinal: true) == .idle { break }
    for _ in 0..<100 {
      if drain.closeStream() == .delivered { return }
      waitForReaders()
      now += 10_000_000_000
    }
    throw NotClosed()
  }

  struct NotClosed: Error {}

  /// Whether everything has been released.
  var isEmpty: Bool {
    (0..<producer.fixture.count).allSatisfy { index in
      let ring = unsafe producer.fixture.ring(index)
      return unsafe ring.pointee.tail == ring.pointee.head
    }
  }
}

/// A source without a ring.
@safe
private final class NoRings: RingSource {
  let header = UnsafeMutablePointer<TRProcessHeader>.allocate(capacity: 1)
  let capacity = 4096
  let owner: UInt32 = 0

  init() { unsafe header.initialize(to: TRProcessHeader()) }
  deinit { unsafe header.deallocate() }

  func ring(_ index: Int) -> UnsafeMutablePointer<TRRing>? { nil }
  func label(_ id: UInt16) -> UnsafeRawBufferPointer? { nil }
  func template(_ id: UInt16) -> RecordTemplate? { nil }
  func records(_ index: Int, from tail: UInt64, to head: UInt64) -> UnsafeRawBufferPointer? { nil }
}
