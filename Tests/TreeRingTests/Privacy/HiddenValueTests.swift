import TestSupport
import Testing

@testable import TreeRing

/// What the marks leave of a value, and that the value's bytes are nowhere in the record.
@Suite struct HiddenValueTests {
  private func hidden(_ value: some LogValue, _ privacy: LogPrivacy) throws -> (shown: String?, bytes: [UInt8]) {
    let record = EncodedRecord({ "text" }) { $0.writer.write(value, key: "value", fieldOnly: true, privacy: privacy) }
    return (try record.json().value, record.bytes)
  }

  @Test(arguments: [
    ("", "***"), ("1", "***"), ("elevenchars", "***"), ("twelve chars", "***hars"), ("4929 1234 5678 1111", "***1111"),
    ("zwölf Zeichen ü😀é", "*** ü😀é"), (String(repeating: "long", count: 5_000), "***long"),
  ])
  func aMaskLeavesTheEndOfALongString(_ value: String, _ shown: String) throws {
    #expect(try hidden(value, .masked).shown == shown)
  }

  @Test func nothingIsLeftOfWhatIsNoString() throws {
    #expect(try hidden(123_456_789_012_345, .masked).shown == "***")
    #expect(try hidden(["twelve characters"], .masked).shown == "***")
    #expect(try hidden(String?.none, .masked).shown == "***")
  }

  @Test func aSecretSaysNothing() throws {
    #expect(try hidden("", .secret).shown == "[redacted]")
    #expect(try hidden(String(repeating: "x", count: 5_000), .secret).shown == "[redacted]")
    #expect(try hidden(17, .secret).shown == "[redacted]")
  }

  @Test func equalValuesHaveEqualHashes() throws {
    let values: [any LogValue] = ["a", "b", "", 1, 2, 1.0, true, [1, 2], [12], "a" as String?, 1 as UInt]
    let hashes = try values.map { try #require(hidden($0, .hashed).shown) }
    let again = try values.map { try #require(hidden($0, .hashed).shown) }
    #expect(hashes == again)
    #expect(hashes.allSatisfy { $0.count == 17 && $0.first == "#" && $0.dropFirst().allSatisfy(\.isHexDigit) })
    #expect(hashes[0] == hashes[9], "an optional is what it holds")
    #expect(Set(hashes).count == values.count - 1)
  }

  @Test func longValuesDifferByTheirEnds() throws {
    let long = String(repeating: "x", count: 5_000)
    #expect(try hidden(long + "a", .hashed).shown != hidden(long + "b", .hashed).shown)
  }

  @Test(arguments: LogPrivacy.allCases)
  func theValueIsNotInTheRecord(_ privacy: LogPrivacy) throws {
    let value = "correct horse battery staple"
    let bytes = try hidden(value, privacy).bytes
    #expect(bytes.contains(Array("correct horse".utf8)) == (privacy == .public))
    #expect(bytes.contains(Array("text".utf8)))
  }

  /// The text of a type that is no `LogValue` of its own, and writes more than one segment.
  private struct Pair: LogValue {
    let left: String
    let right: String

    func write(to writer: inout RecordWriter, key: LogKey, fieldOnly: Bool) {
      writer.group(key: key, fieldOnly: fieldOnly) { writer in
        left.write(to: &writer, key: "left", fieldOnly: fieldOnly)
        right.write(to: &writer, key: "right", fieldOnly: fieldOnly)
      }
    }
  }

  @Test func aValueOfSeveralPartsIsHiddenWhole() throws {
    let pair = Pair(left: "twelve characters", right: "more than twelve")
    let masked = try hidden(pair, .masked)
    #expect(masked.shown == "***")
    #expect(!masked.bytes.contains(Array("characters".utf8)) && !masked.bytes.contains(Array("more".utf8)))
    let swapped = Pair(left: pair.right, right: pair.left)
    #expect(try hidden(pair, .hashed).shown != hidden(swapped, .hashed).shown)
  }
}

extension [UInt8] {
  /// Whether `part` stands anywhere in it.
  func contains(_ part: [UInt8]) -> Bool {
    guard !part.isEmpty, count >= part.count else { return part.isEmpty }
    return (0...(count - part.count)).contains { self[$0..<($0 + part.count)].elementsEqual(part) }
  }
}
