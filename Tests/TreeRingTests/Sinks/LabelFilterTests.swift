import Testing

@testable import TreeRing

/// Labels of a sink mean what they mean in `TREERING_LEVEL`.
struct LabelFilterTests {
  private func covers(_ patterns: [String], _ label: String) -> Bool {
    var label = label
    return label.withUTF8 { unsafe LabelFilter(patterns)?.covers(UnsafeRawBufferPointer($0)) ?? true }
  }

  @Test func withoutAnEntryEverythingIsCovered() { #expect(LabelFilter([]) == nil) }

  @Test(arguments: [
    ("shop", "shop", true), ("shop", "shop.checkout", true), ("shop", "sho", false), ("shop", "http", false),
    ("shop.*", "shop", true), ("shop.*", "shop.checkout", true), ("shop.*", "shopping", false), ("*", "anything", true),
    ("*", "", true), ("shop", "", false), ("shop:*", "shop:db", true), ("shop.db", "shop", false),
  ])
  func anEntryIsABeginning(pattern: String, label: String, isCovered: Bool) {
    #expect(covers([pattern], label) == isCovered)
    #expect(covers(["none", pattern], label) == isCovered, "one entry is enough")
  }
}
