import TestSupport
import Testing

@testable import TreeRing

/// The rate limit without threads and clocks.
@Suite struct RateWindowTests {
  /// Which of the records that come at these milliseconds pass.
  private func passes(_ times: [UInt64], atMost limit: Int, per period: UInt64) -> [Bool] {
    var window = RateWindow.unused
    return times.map { time in
      let (after, passes) = window.admitting(atMost: limit, per: period, now: time)
      window = after
      return passes
    }
  }

  @Test func admitsSoManyInEachPeriod() {
    let times = [5000, 5001, 5002, 5999, 6000, 6001, 6500, 9000] as [UInt64]
    #expect(passes(times, atMost: 2, per: 1000) == [true, true, false, false, true, true, false, true])
  }

  @Test func aPeriodBeginsWithItsFirstRecord() {
    #expect(passes([100, 1099, 1100, 1101], atMost: 1, per: 1000) == [true, false, true, false])
  }

  @Test func aLimitOfNothingAdmitsNothing() {
    #expect(passes([1, 2, 5000], atMost: 0, per: 1000) == [false, false, false])
  }

  @Test func aClockThatGoesBackLocksNobodyOut() {
    #expect(passes([5000, 5001, 4000, 4001], atMost: 1, per: 1000) == [true, false, true, false])
  }

  @Test func theLargestLimitFits() {
    var window = RateWindow.unused
    for number in 0..<(RateWindow.most + 10) {
      let (after, passes) = window.admitting(atMost: RateWindow.most, per: 1000, now: 7)
      #expect(passes == (number < RateWindow.most))
      window = after
    }
  }

  /// Against a model that remembers every record.
  @Test func agreesWithAModel() {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<200 {
      let (limit, period) = (Int.random(in: 1...5, using: &generator), UInt64.random(in: 1...50, using: &generator))
      var time: UInt64 = 1000
      let times = (0..<100).map { _ -> UInt64 in
        time += UInt64.random(in: 0...20, using: &generator)
        return time
      }
      var model: [Bool] = []
      var (beginning, count) = (UInt64(0), 0)
      for time in times {
        if model.isEmpty || time - beginning >= period { (beginning, count) = (time, 0) }
        count += 1
        model.append(count <= limit)
      }
      #expect(passes(times, atMost: limit, per: period) == model)
    }
  }
}
