import TestSupport
import Testing

@testable import TreeRing

/// Values that are made of values.
@Suite struct CollectionValueTests {
  private enum Plan: String, LogValue { case free, team }
  private enum Code: Int, LogValue { case notFound = 404 }

  private func value(_ value: some LogValue) throws -> Any? {
    try EncodedRecord({ "value" }) { $0["value"] = value }.json()["value"]
  }

  @Test func aDictionaryIsAnObject() throws {
    let nested = ["a": [1, 2], "b": [], "": [3]]
    #expect(try value(nested) as? [String: [Int]] == ["a": [1, 2], "b": [], "_": [3]])
  }

  @Test func sequencesAreArrays() throws {
    #expect(try value([1, 2, 3].dropFirst()) as? [Int] == [2, 3])
    #expect(try value(ContiguousArray(["a", "b"])) as? [String] == ["a", "b"])
    #expect(Set(try #require(try value(Set([1, 2])) as? [Int])) == [1, 2])
    #expect(try value([["a": 1], ["b": 2]]) as? [[String: Int]] == [["a": 1], ["b": 2]])
  }

  @Test func anEnumerationIsItsRawValue() throws {
    #expect(try value(Plan.team) as? String == "team")
    #expect(try value(Code.notFound) as? Int == 404)
    #expect(try value([Plan.free, .team]) as? [String] == ["free", "team"])
    #expect(try value(Character("é")) as? String == "é")
  }
}
