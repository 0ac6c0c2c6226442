import TestSupport
import Testing

@testable import TreeRing

/// Errors inside of errors.
@Suite struct ErrorChainTests {
  struct Root: Error, CustomStringConvertible { let description = "the disk is full" }
  struct Middle: Error {
    let path: String
    let underlying: (any Error)?
  }
  enum Outer: Error {
    case cannotStore(id: Int, because: any Error)
    case plain
  }

  private func record(_ error: any Error) throws -> JSONRecord {
    try EncodedRecord({ "failed" }) { $0.writer.follow($0.writer.place.adding(error)) }.json()
  }

  private func causes(_ error: any Error) throws -> [[String: String]]? {
    try record(error)["error.causes"] as? [[String: String]]
  }

  @Test func anErrorAloneHasNoCauses() throws {
    let record = try record(Outer.plain)
    #expect(record["error.message"] as? String == "plain")
    #expect(record["error.causes"] == nil)
  }

  @Test func theChainIsToldFromTheNearestToTheRoot() throws {
    let error = Outer.cannotStore(id: 7, because: Middle(path: "/var/log", underlying: Root()))
    let causes = try #require(try causes(error))
    #expect(causes.map { $0["type"] } == [String(reflecting: Middle.self), String(reflecting: Root.self)])
    #expect(causes.last?["message"] == "the disk is full")
    #expect(try record(error)["error.type"] as? String == String(reflecting: Outer.self))
  }

  @Test func anEmptyPlaceForACauseIsNoCause() throws {
    #expect(try causes(Middle(path: "", underlying: nil)) == nil)
  }

  /// An enumeration whose payload is the standard library's, with the error two members deep.
  @Test func aDecodingErrorTellsItsUnderlyingError() throws {
    let context = DecodingError.Context(codingPath: [], debugDescription: "no JSON", underlyingError: Root())
    #expect(try causes(DecodingError.dataCorrupted(context))?.map { $0["message"] } == ["the disk is full"])
  }

  final class Endless: Error, @unchecked Sendable {  // set once, in one test
    var next: (any Error)?
  }

  @Test func anErrorThatHoldsItselfEnds() throws {
    let endless = Endless()
    endless.next = endless
    #expect(try causes(endless)?.count == ErrorChain.longest)
    endless.next = nil
  }
}
