import LogShipper
import TestSupport
import Testing

@Suite struct NumberSetTests {
  @Test func numbersInOrderAreOneRun() {
    var set = NumberSet()
    let isNew = (0..<10_000 as Range<UInt64>).map { set.insert($0) }
    #expect(!isNew.contains(false))
    #expect(set.count == 10_000 && set.runCount == 1 && set.last == 9999)
    let more = [0, 9999, 10_001].map { set.insert($0) }
    #expect(more == [false, false, true])
    #expect(set.runCount == 2)
    #expect(
      set.gaps(below: 10_004, limit: 9) == [.init(first: 10_000, last: 10_000), .init(first: 10_002, last: 10_003)])
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func agreesWithASet(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var set = NumberSet()
    var model = Set<UInt64>()
    let range = seed % 2 == 0 ? 0...60 : 0...5000 as ClosedRange<UInt64>
    for _ in 0..<3000 {
      let first = UInt64.random(in: range, using: &generator)
      let length = Bool.random(using: &generator) ? 1 : UInt64.random(in: 1...7, using: &generator)
      let numbers = first..<(first + length)
      let new = numbers.count { !model.contains($0) }
      let added = set.insert(.init(first: first, last: first + length - 1))
      #expect(added == UInt64(new))
      model.formUnion(numbers)
      #expect(set.count == UInt64(model.count) && set.last == model.max())
    }
    let missing = (0..<6000).filter { !model.contains($0) }
    #expect(set.gaps(below: 6000, limit: .max).flatMap { $0.first...$0.last } == missing)
    #expect(set.runCount <= missing.count + 1)
  }

  @Test func shuffledNumbersAreJoinedInTheEnd() {
    var generator = SeededGenerator(seed: 7)
    var set = NumberSet()
    let isNew = (0..<20_000 as Range<UInt64>).shuffled(using: &generator).map { set.insert($0) }
    #expect(!isNew.contains(false))
    #expect(set.runCount == 1 && set.count == 20_000)
  }
}
