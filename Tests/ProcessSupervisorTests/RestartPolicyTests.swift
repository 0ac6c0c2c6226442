import Testing

@testable import ProcessSupervisor

@Suite struct RestartPolicyTests {
  private static let pauses: [(Int, Double)] = [
    (1, 0), (2, 100), (3, 150), (4, 225), (5, 337.5), (13, 8649.755859375), (14, 12974.6337890625), (15, 15000),
    (1000, 15000), (Int.max, 15000),
  ]

  @Test(arguments: pauses)
  func pauseGrowsFromTheSecondDeathInARow(deathsInRow: Int, milliseconds: Double) {
    let delay = RestartPolicy().delay(deathsInRow: deathsInRow)
    #expect(abs(delay / .milliseconds(1) - milliseconds) < 0.001)
  }

  @Test func noInitialPauseMeansNoPause() {
    #expect(RestartPolicy(initialDelay: .zero).delay(deathsInRow: 20) == .zero)
  }

  @Test func theEleventhDeathInTenSecondsIsOneTooMany() {
    var tally = DeathTally()
    let exceeded = (0..<11).map { tally.record(at: .milliseconds($0 * 999), RestartPolicy()) }
    #expect(exceeded == Array(repeating: false, count: 10) + [true])
  }

  @Test func aDeathTenSecondsAgoHasLeftTheWindow() {
    var tally = DeathTally()
    let exceeded = (0..<40).map { tally.record(at: .seconds($0), RestartPolicy()) }
    #expect(!exceeded.contains(true))
    #expect(tally.count == 10)
  }

  @Test func noLimitBearsEverythingAndRemembersNothing() {
    var tally = DeathTally()
    let exceeded = (0..<1000).map { _ in tally.record(at: .zero, RestartPolicy(limit: .max)) }
    #expect(!exceeded.contains(true))
    #expect(tally.count == 0)
  }

  @Test func aLimitOfZeroBearsNoDeath() {
    var tally = DeathTally()
    let exceeded = tally.record(at: .zero, RestartPolicy(limit: 0))
    #expect(exceeded)
  }
}
