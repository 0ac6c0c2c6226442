import Testing

@testable import Companies

@Suite struct RequestIDTests {
  @Test func takesASaneID() {
    #expect(RequestID.choose(offered: ["abc-1"]) == "abc-1")
    #expect(RequestID.choose(offered: [String(repeating: "a", count: 128)]).count == 128)
  }

  @Test(arguments: [
    [], [""], ["a b"], ["a\n"], ["ü"], ["a", "b"], [String(repeating: "a", count: 129)],
  ])
  func makesOneOtherwise(_ offered: [String]) {
    let id = RequestID.choose(offered: offered)
    #expect(id.count == 32 && id.allSatisfy(\.isHexDigit))
    #expect(id != RequestID.choose(offered: offered))
  }

  @Test func formatsDatesAsTheRFCDoes() {
    #expect(HTTPDate.format(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(HTTPDate.format(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
  }
}
