import Glibc
import Testing

@testable import TreeRing

/// The state machine of a sink, without I/O and without waiting.
struct SinkStateTests {
  private let millisecond: UInt64 = 1_000_000
  private let full = Errno(ENOSPC)
  private let start: UInt64 = 1_000_000_000_000

  /// A state that has failed at `start`.
  fileprivate func failed(_ error: Errno = Errno(ENOSPC)) -> Driven {
    let state = Driven()
    _ = state.handle(.refused(error, isFinal: false), at: start)
    return state
  }

  @Test func aSinkBeginsOK() {
    let state = Driven()
    #expect(state.isOK && state.isTriable && !state.isOut)
    #expect(state.nextAttempt(start) == nil)
  }

  @Test func anErrorIsAnOutageToldOnce() {
    let state = Driven()
    #expect(state.handle(.refused(full, isFinal: false), at: start) == .tellFailure(full))
    #expect(state.isOut && !state.isTriable && state.isBroken)
    for attempt in 1...5 {
      let now = start + UInt64(attempt) * 20_000 * millisecond
      #expect(state.probe(now))
      #expect(state.handle(.refused(Errno(EIO), isFinal: false), at: now) == .nothing)
    }
  }

  @Test func theReturnIsToldOnceWithItsLength() {
    let state = failed()
    let back = start + 5000 * millisecond
    #expect(state.probe(back))
    state.reopened()
    #expect(state.handle(.progressed, at: back) == .nothing)
    #expect(state.handle(.caughtUp, at: back) == .tellReturn(nanoseconds: 5000 * millisecond))
    #expect(state.isOK && !state.isOut)
    #expect(state.handle(.caughtUp, at: back) == .nothing)
  }

  @Test func itIsNotTriedBeforeItsTime() {
    let state = failed()
    #expect(state.nextAttempt(start) == start + SinkState.shortestPause)
    #expect(!state.probe(start + SinkState.shortestPause - 1))
    #expect(state.probe(start + SinkState.shortestPause))
    #expect(state.phase == .probing)
  }

  @Test func aLastAttemptDoesNotWait() {
    let state = failed()
    #expect(state.probe(start, atOnce: true))
  }

  @Test func pausesDoubleUpToALimit() {
    let state = failed()
    var now = start
    var pauses: [UInt64] = []
    for _ in 0..<10 {
      let next = state.nextAttempt(now) ?? 0
      pauses.append(next - now)
      now = next
      #expect(state.probe(now))
      _ = state.handle(.refused(full, isFinal: false), at: now)
    }
    #expect(pauses.prefix(4).map { $0 / millisecond } == [50, 100, 200, 400])
    #expect(pauses.last == SinkState.longestPause)
  }

  /// A child process that works for a moment and dies is not started again at once.
  @Test func pausesGoOnWhenItDidNotWorkForLong() {
    let state = failed()
    var now = start
    for _ in 0..<3 {
      now = state.nextAttempt(now) ?? 0
      _ = state.probe(now)
      _ = state.handle(.caughtUp, at: now)
      now += 100 * millisecond
      #expect(state.handle(.refused(full, isFinal: false), at: now) == .tellFailure(full))
    }
    #expect((state.nextAttempt(now) ?? 0) - now == 400 * millisecond)
    now = state.nextAttempt(now) ?? 0
    _ = state.probe(now)
    _ = state.handle(.caughtUp, at: now)
    now += SinkState.soundTime
    _ = state.handle(.refused(full, isFinal: false), at: now)
    #expect((state.nextAttempt(now) ?? 0) - now == SinkState.shortestPause)
  }

  @Test func aShortStallIsNoOutage() {
    let state = Driven()
    #expect(state.handle(.full, at: start) == .nothing)
    #expect(state.phase == .stalled(since: start) && !state.isOut)
    #expect(state.handle(.full, at: start + SinkState.longestStall - 1) == .nothing)
    #expect(state.handle(.caughtUp, at: start + SinkState.longestStall) == .nothing)
    #expect(state.isOK)
  }

  @Test func aLongStallIsAnOutageWithoutALostConnection() {
    let state = Driven()
    _ = state.handle(.full, at: start)
    #expect(state.handle(.full, at: start + SinkState.longestStall) == .tellFailure(.wouldBlock))
    #expect(!state.isBroken)
  }

  @Test func aReaderThatReadsSlowlyIsNoOutage() {
    let state = Driven()
    _ = state.handle(.full, at: start)
    for step in 1...10 {
      let now = start + UInt64(step) * SinkState.longestStall
      #expect(state.handle(.progressed, at: now) == .nothing)
      #expect(state.handle(.full, at: now + millisecond) == .nothing)
    }
  }

  /// `/dev/log` may hold ten messages. An outage is not over until all that waits has been taken, and each time it is full is no new reason for a pause.
  @Test func aReaderThatCatchesUpInSmallPiecesIsNotPausedAgain() {
    let state = failed()
    var now = start + SinkState.longestPause
    #expect(state.probe(now))
    state.reopened()
    for _ in 0..<50 {
      #expect(state.handle(.progressed, at: now) == .nothing)
      #expect(state.handle(.full, at: now + millisecond) == .nothing)
      #expect(state.isTriable && state.probe(now + 2 * millisecond))
      now += SinkState.longestStall
    }
    #expect(state.handle(.caughtUp, at: now) == .tellReturn(nanoseconds: now - start))
  }

  @Test func aReaderThatTakesNothingIsPausedAgain() {
    let state = failed()
    let now = start + SinkState.longestPause
    #expect(state.probe(now))
    #expect(state.handle(.full, at: now) == .nothing)
    #expect(!state.isTriable, "nothing was taken at all")
    let next = now + SinkState.longestPause
    #expect(state.probe(next))
    _ = state.handle(.progressed, at: next)
    #expect(state.handle(.full, at: next + SinkState.longestStall) == .nothing)
    #expect(!state.isTriable && state.isOut, "nothing for a second")
  }

  @Test func aFullBacklogIsAnOutageAtOnce() {
    let state = Driven()
    _ = state.handle(.full, at: start)
    #expect(state.handle(.overflowed, at: start + 1) == .tellFailure(.wouldBlock))
    #expect(state.handle(.overflowed, at: start + 2) == .nothing)
  }

  @Test func aFinalErrorIsToldOnceAndNeverTriedAgain() {
    let state = Driven()
    #expect(state.handle(.refused(Errno(EPIPE), isFinal: true), at: start) == .tellFailure(Errno(EPIPE)))
    #expect(state.phase == .gone)
    #expect(!state.probe(start + 100_000 * millisecond, atOnce: true))
    #expect(state.handle(.caughtUp, at: start) == .nothing)
  }
}

/// The state machine behind a reference: an expectation cannot call what changes a value.
@dynamicMemberLookup
private final class Driven {
  private var state = SinkState()

  subscript<Value>(dynamicMember path: KeyPath<SinkState, Value>) -> Value { state[keyPath: path] }
  func handle(_ event: SinkState.Event, at now: UInt64) -> SinkState.Action { state.handle(event, at: now) }
  func probe(_ now: UInt64, atOnce: Bool = false) -> Bool { state.probe(now, atOnce: atOnce) }
  func reopened() { state.reopened() }
  func nextAttempt(_ now: UInt64) -> UInt64? { state.nextAttempt(now) }
}
