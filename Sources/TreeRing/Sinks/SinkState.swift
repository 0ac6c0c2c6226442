/// What one sink is up to: ok → stalled → failed → probing → ok. Pure: events and the time go in, and what is to be told comes out.
///
/// | phase | means | leaves it |
/// |---|---|---|
/// | ok | takes what it is given | its reader does not keep up: stalled; an error: failed, or gone |
/// | stalled | has a backlog, its reader is slow | caught up: ok; no progress for a second, or the backlog is full: failed |
/// | failed | an outage, told once; waits for its next attempt | the time has come: probing |
/// | probing | is being tried | caught up: ok, told once; an error, nothing taken at first, or none for a second: failed, for twice as long |
/// | gone | will never work again | |
///
/// Pauses between attempts double from 50 ms to 5 s, and begin at 50 ms again after the sink has worked for 10 s: a child process that dies at once is not started
/// hundreds of times a second.
struct SinkState: Equatable {
  enum Phase: Equatable {
    case ok
    case stalled(since: UInt64)
    case failed(next: UInt64)
    case probing
    case gone
  }

  /// What has been seen.
  enum Event: Equatable {
    /// It has got everything that there is for it.
    case caughtUp
    /// It has taken a part.
    case progressed
    /// It has taken nothing, because its reader does not read.
    case full
    /// An error.
    case refused(Errno, isFinal: Bool)
    /// Its backlog is full: from now on it loses records.
    case overflowed
  }

  /// What is to be told.
  enum Action: Equatable {
    case nothing
    case tellFailure(Errno)
    /// The outage has lasted so long.
    case tellReturn(nanoseconds: UInt64)
  }

  private(set) var phase = Phase.ok
  /// The connection is lost and has to be made anew before anything is written.
  private(set) var isBroken = false
  /// When the outage began that has been told and is not over.
  private(set) var outageBegan: UInt64?
  private var pause = shortestPause
  private var okSince: UInt64 = 0
  /// When it last took a part while it was tried; nil: not yet. A socket that holds ten messages is full again and again until its reader has caught up.
  private var progressed: UInt64?

  static let shortestPause: UInt64 = 50_000_000
  static let longestPause: UInt64 = 5_000_000_000
  /// So long a reader may take nothing before that is an outage.
  static let longestStall: UInt64 = 1_000_000_000
  /// After so long without a failure the next one is the first again.
  static let soundTime: UInt64 = 10_000_000_000

  /// Whether it works.
  var isOK: Bool { phase == .ok }
  /// Whether it may be given something to write now.
  var isTriable: Bool {
    switch phase {
    case .ok, .stalled, .probing: !isBroken
    case .failed, .gone: false
    }
  }
  /// Whether an outage is under way.
  var isOut: Bool { outageBegan != nil }

  /// When it is to be tried next; nil: not at all, or there is no need.
  func nextAttempt(_ now: UInt64) -> UInt64? {
    switch phase {
    case .ok, .gone: nil
    case .stalled, .probing: now
    case .failed(let next): next
    }
  }

  /// Whether it is to be tried now; then it is probing, if it was failed.
  mutating func probe(_ now: UInt64, atOnce: Bool = false) -> Bool {
    switch phase {
    case .ok, .gone: return false
    case .stalled, .probing: return true
    case .failed(let next):
      guard atOnce || now >= next else { return false }
      (phase, progressed) = (.probing, nil)
      return true
    }
  }

  /// The connection has been made anew.
  mutating func reopened() { isBroken = false }

  mutating func handle(_ event: Event, at now: UInt64) -> Action {
    switch (phase, event) {
    case (.gone, _), (.ok, .caughtUp), (.ok, .progressed), (.ok, .overflowed): return .nothing
    case (_, .caughtUp): return becomeOK(now)
    case (.stalled, .progressed): phase = .stalled(since: now)
    case (_, .progressed): (phase, progressed) = (.probing, now)
    case (.ok, .full): phase = .stalled(since: now)
    case (.stalled(let since), .full):
      if now &- since >= Self.longestStall { return fail(Errno.wouldBlock, now) }
    case (.stalled, .overflowed): return fail(Errno.wouldBlock, now)
    case (_, .overflowed): break
    case (_, .full):
      if progressed.map({ now &- $0 >= Self.longestStall }) ?? true { return fail(Errno.wouldBlock, now) }
    case (_, .refused(let error, let isFinal)):
      isBroken = true
      let action = fail(error, now)
      if isFinal { phase = .gone }
      return action
    }
    return .nothing
  }

  private mutating func becomeOK(_ now: UInt64) -> Action {
    (phase, progressed) = (.ok, nil)
    okSince = now
    guard let began = outageBegan else { return .nothing }
    outageBegan = nil
    return .tellReturn(nanoseconds: now &- began)
  }

  private mutating func fail(_ error: Errno, _ now: UInt64) -> Action {
    if outageBegan == nil, now &- okSince >= Self.soundTime { pause = Self.shortestPause }
    (phase, progressed) = (.failed(next: now &+ pause), nil)
    pause = min(pause * 2, Self.longestPause)
    guard outageBegan == nil else { return .nothing }
    outageBegan = now
    return .tellFailure(error)
  }
}

extension Errno {
  /// A reader that does not read.
  static let wouldBlock = Errno(11)
}
