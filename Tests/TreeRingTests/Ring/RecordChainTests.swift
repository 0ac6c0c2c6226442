import TestSupport
import Testing

@testable import TreeRing

/// Finding one's place in a ring again: the true one, or none.
struct RecordChainTests {
  private func find(_ bytes: some Sequence<UInt8>, next: UInt64, largest: Int = 4096) -> RecordChain? {
    unsafe Array(bytes).withUnsafeBytes { unsafe RecordChain(in: $0, largest: largest, sequences: next...next) }
  }

  /// Records one after the other, and where each begins.
  private func records(_ texts: [String], from first: UInt64) -> (bytes: [UInt8], starts: [Int]) {
    var bytes: [UInt8] = []
    var starts: [Int] = []
    for (number, text) in texts.enumerated() {
      starts.append(bytes.count)
      bytes += EncodedRecord(sequence: first + UInt64(number), { "\(text, "text")" }).bytes
    }
    return (bytes, starts)
  }

  /// Any record that begins within the length of the largest may be the first that is true, so the last of them is the first that is sure to be.
  @Test func everyCutLeadsToARecord() {
    let texts = (0..<20).map { String(repeating: "x", count: $0 * 7) }
    let (bytes, starts) = records(texts, from: 1000)
    let largest = 176
    for cut in stride(from: 0, to: starts[19] + 8, by: 8) {
      let chain = find(bytes[cut...], next: 1020, largest: largest)
      let expected = starts.lastIndex { (cut...cut + largest).contains($0) }
      #expect(chain.map { cut + $0.offset } == expected.map { starts[$0] }, "cut \(cut)")
      #expect(chain?.sequence == expected.map { 1000 + UInt64($0) }, "cut \(cut)")
    }
  }

  @Test func anotherNumberAtTheEndIsNoChain() {
    let (bytes, _) = records(["a", "b", "c"], from: 5)
    #expect(find(bytes, next: 8, largest: 8)?.offset == 0)
    #expect(find(bytes, next: 9) == nil)
    #expect(find(bytes.dropLast(8), next: 8) == nil)
    #expect(find([], next: 0) == nil)
  }

  /// A stranger's text that is itself a chain of records, right to the number, and that meets the true one.
  @Test(arguments: 1...6) func whatAStrangerWroteIsNeverARecord(forged: Int) throws {
    let before = records(["one", "two"], from: 10).bytes
    // The true record 12 carries records that end where it ends: the last of them has its number, so that 13 may follow.
    let forgery = records((0..<forged).map { "forged \($0)" }, from: 13 - UInt64(forged)).bytes
    var carrier: [UInt8] = []
    for padding in 0..<8 {
      let text = String(decoding: [UInt8](repeating: 0x2E, count: padding) + forgery, as: UTF8.self)
      carrier = EncodedRecord(sequence: 12, { "\(text)" }).bytes
      if let at = position(of: forgery, in: carrier), at % 8 == 0, at + forgery.count == carrier.count { break }
    }
    let at = position(of: forgery, in: carrier)
    #expect(at.map { $0 % 8 } == 0, "the forgery has to lie where a record may: \(String(describing: at))")
    let after = records((0..<10).map { "next \($0)" }, from: 13)
    let truth = after.starts.map { before.count + carrier.count + $0 }
    let bytes = before + carrier + after.bytes
    for cut in stride(from: before.count + 8, through: before.count + carrier.count - 8, by: 8) {
      let chain = try #require(find(bytes[cut...], next: 23, largest: carrier.count))
      let found = truth.firstIndex(of: cut + chain.offset)
      #expect(found != nil && chain.sequence == 13 + UInt64(found ?? 0), "cut \(cut): \(chain)")
    }
  }

  private func position(of part: [UInt8], in whole: [UInt8]) -> Int? {
    (0...max(whole.count - part.count, 0)).first { whole[$0...].starts(with: part) }
  }

  @Test func noiseIsNoChainAndKillsNobody() {
    var random = SeededGenerator("chains")
    for _ in 0..<300 {
      let bytes = random.bytes(Int(random.next() % 4096))
      let chain = unsafe bytes.withUnsafeBytes {
        unsafe RecordChain(in: $0, largest: Int(random.next() % 8192), sequences: 0 ... .max)
      }
      #expect((chain?.offset ?? 0) <= bytes.count, "seed \(random.seed)")
    }
  }
}
