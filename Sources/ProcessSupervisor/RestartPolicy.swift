import Glibc

/// When a dead worker comes back, and when to stop trying. Pure: every time comes in as a parameter.
///
/// The first death is answered at once: one crash is an accident, and clients wait. From the second death *in a row*
/// there is a growing pause, because a worker that dies again and again burns the machine. A worker that stayed up for
/// `resetAfter` starts a new row. Deaths of all workers together are limited: `limit` in `period` are borne, one more
/// means that restarting does not help, and the next layer (systemd, an operator) has to know.
package struct RestartPolicy: Hashable, Sendable {
  /// Pause before the restart after the second death in a row.
  package var initialDelay: Duration
  /// What each further death in a row multiplies the pause by.
  package var factor: Double
  /// The longest pause.
  package var maximumDelay: Duration
  /// A worker that was up this long starts a new row of deaths.
  package var resetAfter: Duration
  /// Deaths borne within `period`, all workers together; `Int.max` means for ever.
  package var limit: Int
  package var period: Duration

  /// The defaults: 0, 100, 150, 225 … ms up to 15 s, forgotten after 30 s up; ten deaths in ten seconds (Upstart's
  /// `respawn limit 10 10`). A single worker that dies at every start reaches the eleventh death after 7.5 s of pauses.
  package init(
    initialDelay: Duration = .milliseconds(100), factor: Double = 1.5, maximumDelay: Duration = .seconds(15),
    resetAfter: Duration = .seconds(30), limit: Int = 10, period: Duration = .seconds(10)
  ) {
    self.initialDelay = initialDelay
    self.factor = factor
    self.maximumDelay = maximumDelay
    self.resetAfter = resetAfter
    self.limit = limit
    self.period = period
  }

  /// The pause after the `deathsInRow`-th death in a row; the first is 1.
  package func delay(deathsInRow: Int) -> Duration {
    guard deathsInRow > 1, initialDelay > .zero else { return .zero }
    let growth = pow(factor, Double(deathsInRow - 2))
    let longest = maximumDelay / initialDelay
    return growth < longest ? initialDelay * growth : maximumDelay
  }
}

/// The deaths of the last `period`, all workers together. Holds at most `limit` + 1 times.
struct DeathTally {
  private var times: [Duration] = []

  var count: Int { times.count }

  /// Counts a death; true when it is one too many. A death exactly `period` ago has left the window.
  mutating func record(at now: Duration, _ policy: RestartPolicy) -> Bool {
    guard policy.limit < .max else { return false }
    times.removeAll { now - $0 >= policy.period }
    times.append(now)
    return times.count > policy.limit
  }
}
