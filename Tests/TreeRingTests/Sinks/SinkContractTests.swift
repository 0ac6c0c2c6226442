import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// What every sink promises, whatever it writes to: see ``Sink``. Kinds are listed in `SinkKind.all`.
struct SinkContractTests {
  /// Lines of all lengths, some of which do not fit a pipe's atomic write, arrive as they were given.
  @Test(arguments: SinkKind.all)
  func linesArriveWholeAndInOrder(kind: SinkKind) throws {
    let subject = try kind.subject()
    let lines = Lines(0..<300)
    try SinkFeeder(subject.sink).deliver(subject.spelled(lines))
    let isComplete = try lines.areAll(of: subject.arrived(lines.bytes.count))
    #expect(isComplete)
  }

  @Test(arguments: SinkKind.all)
  func aBatchOfNothingIsTaken(kind: SinkKind) throws {
    let subject = try kind.subject()
    let sink = try #require(subject.sink)
    let empty = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    #expect(try unsafe sink.accept(empty, patienceMilliseconds: 0) == 0)
  }

  /// A reader that does not read holds the writer for as long as it has patience, and no longer.
  @Test(arguments: SinkKind.stalling)
  func theWaitForAReaderIsBounded(kind: SinkKind) throws {
    let subject = try kind.subject()
    let sink = try #require(subject.sink)
    try subject.stall(true)
    let lines = Lines(0..<3000)
    let whole = subject.spelled(lines)
    var taken = 0
    let begin = Syscalls.now(CLOCK_MONOTONIC)
    try unsafe whole.withUnsafeBytes { bytes in
      for _ in 0..<10 {
        taken += try unsafe sink.accept(
          UnsafeRawBufferPointer(rebasing: bytes[taken...]), patienceMilliseconds: 10)
      }
    }
    let waited = Syscalls.now(CLOCK_MONOTONIC) - begin
    #expect(taken < whole.count, "nothing that is not read holds \(whole.count) bytes")
    // Ten waits of 10 ms, on a machine that may be very busy.
    #expect(waited < 5_000_000_000)
    try subject.stall(false)
    try SinkFeeder(sink).deliver(Array(whole[taken...]))
    let isComplete = try lines.areAll(of: subject.arrived(lines.bytes.count))
    #expect(isComplete, "nothing is lost by waiting")
  }

  /// After a failure the sink says so, and works again when its destination does. The line that was cut off comes again, whole.
  @Test(arguments: SinkKind.failing)
  func itWorksAgainAfterAFailure(kind: SinkKind) throws {
    let subject = try kind.subject()
    let sink = try #require(subject.sink)
    let (before, after) = (Lines(0..<20), Lines(20..<60))
    try SinkFeeder(sink).deliver(subject.spelled(before))
    let isComplete = try before.areAll(of: subject.arrived(before.bytes.count))
    #expect(isComplete)
    try subject.fail()
    let error = try #require(SinkFeeder(sink).firstError(feeding: subject.spelled(before)))
    #expect(sink.canReturn(after: error))
    #expect(!sink.describe(error).isEmpty)
    try subject.mend()
    try SinkFeeder(sink).deliver(subject.spelled(after), isBroken: true)
    let whole = before.bytes.count + after.bytes.count
    let arrived = try subject.arrived(whole)
    // What was fed to the dead reader may be there or not, but what came afterwards is, and no line is torn.
    let isThere = arrived.suffix(after.bytes.count).elementsEqual(after.bytes)
    #expect(isThere, "\(arrived.count) bytes arrived, of \(whole)")
    #expect(Lines.tornLines(in: arrived).count == 0)
  }

  /// What the others are told of it: one notice when it fails, one when it is back, which says how many records it has lost; and those are as many as did not arrive.
  @Test(arguments: SinkKind.failing)
  func anOutageIsToldOnceOutAndOnceBack(kind: SinkKind) throws {
    let subject = try kind.subject()
    let (other, sink) = (FaultySink("other:"), try #require(subject.sink))
    let bench = try DrainBench([other, sink], backlog: 2000)
    bench.waitsForReaders = true
    func told(_ message: String) throws -> [JSONRecord] {
      try other.records().filter { $0.msg == message && $0["treering.sink"] as? String == sink.name }
    }
    bench.log(10)
    bench.drainAll()
    try subject.fail()
    try bench.log(until: { try !told("sink failed").isEmpty })
    // The backlog, and more than that.
    for _ in 0..<10 {
      bench.log(10)
      bench.drainAll(milliseconds: 10)
    }
    try subject.mend()
    try bench.log(until: { try !told("sink back").isEmpty })
    bench.log(10)
    bench.drainAll(milliseconds: 10)
    try bench.close()
    let whole = StreamAccount(try other.records())
    #expect(whole.faults == [])
    #expect(whole.outages.map(\.msg) == ["sink failed", "sink back"])
    #expect(whole.outages.first?["treering.error"] as? String != "")
    let lost = try #require(whole.outages.last?.integer("treering.lost"))
    #expect(bench.drain.counters.withheld == UInt64(lost))
    #expect(lost > 0 || kind.mendsItself)
  }

  @Test(arguments: SinkKind.all)
  func itLetsGoOfItsDescriptors(kind: SinkKind) throws {
    let subject = try kind.subject()
    try SinkFeeder(subject.sink).deliver(subject.spelled(Lines(0..<3)))
    weak let sink = subject.sink
    subject.sink = nil
    // A subject may hold its sink by another name.
    sink?.finish()
    #expect(try !subject.holdsAnything())
  }

  @Test(arguments: SinkKind.refusing)
  func anErrorNamesTheThing(kind: SinkKind) throws {
    let impossible = try #require(kind.openImpossible)
    let directory = try TemporaryDirectory()
    let (open, named) = impossible(directory)
    let error = #expect(throws: LogError.self) { _ = try open() }
    #expect(error.map { "\($0)".contains(named) } == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test(arguments: SinkKind.all)
  func itHasAName(kind: SinkKind) throws {
    let subject = try kind.subject()
    let name = try #require(subject.sink).name
    #expect(!name.isEmpty && !name.contains("\n"))
  }
}

/// Numbered lines of many lengths that show when they are torn: `number:xxxx…:number`.
struct Lines {
  private(set) var bytes: [UInt8] = []

  init(_ numbers: Range<Int>) {
    for number in numbers {
      // Every fiftieth is longer than a pipe takes at once.
      let length = number % 50 == 7 ? 9000 + number : number * 37 % 400
      bytes += Array("\(number):\(String(repeating: "x", count: length)):\(number)\n".utf8)
    }
  }

  /// Compared here, so that a failure does not print them all.
  func areAll(of arrived: [UInt8]) -> Bool { arrived == bytes }

  /// Lines that are not as one was made.
  static func tornLines(in bytes: [UInt8]) -> [String] {
    bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }.filter { line in
      let parts = line.split(separator: ":", omittingEmptySubsequences: false)
      return parts.count != 3 || parts[0] != parts[2] || !parts[1].allSatisfy { $0 == "x" }
    }
  }

  /// Each line with something in front of it, and something behind.
  func each(_ before: String, _ after: String = "") -> [UInt8] {
    bytes.split(separator: UInt8(ascii: "\n")).flatMap { Array(before.utf8) + $0 + Array(after.utf8) + [0x0A] }
  }
}

/// Does for a test what the drain does for a sink: comes again with the rest, and from the start of a line after a reopening.
struct SinkFeeder {
  private let sink: (any Sink)?

  init(_ sink: (any Sink)?) { self.sink = sink }

  struct TookTooLong: Error {}

  /// Delivers all of `bytes`, in ten seconds at most.
  func deliver(_ bytes: [UInt8], isBroken: Bool = false) throws {
    guard let sink else { return }
    var (taken, isBroken) = (0, isBroken)
    let end = Syscalls.now(CLOCK_MONOTONIC) + 10_000_000_000
    while taken < bytes.count {
      guard Syscalls.now(CLOCK_MONOTONIC) < end else { throw TookTooLong() }
      do {
        if isBroken, try sink.reopen() { taken = bytes[..<taken].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0 }
        isBroken = false
        _ = try sink.intent(length: bytes.count - taken)
        taken += try unsafe bytes[taken...].withUnsafeBytes { try unsafe sink.accept($0, patienceMilliseconds: 50) }
      } catch {
        isBroken = true
        usleep(10_000)
      }
    }
  }

  /// Feeds until it fails; nil when it has not after ten seconds.
  func firstError(feeding bytes: [UInt8]) -> Errno? {
    guard let sink else { return nil }
    let end = Syscalls.now(CLOCK_MONOTONIC) + 10_000_000_000
    while Syscalls.now(CLOCK_MONOTONIC) < end {
      do {
        _ = try sink.intent(length: bytes.count)
        let taken = try unsafe bytes.withUnsafeBytes { try unsafe sink.accept($0, patienceMilliseconds: 10) }
        if taken < bytes.count { usleep(1000) }
      } catch let error as Errno {
        return error
      } catch {
        return nil
      }
    }
    return nil
  }
}
