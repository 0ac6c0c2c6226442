import NIOCore
import NIOHTTP1
import Testing

@testable import Companies

/// The rules of one connection, without one.
@Suite struct ConnectionStateTests {
  let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  func state() -> ConnectionState {
    var limits = EdgeLimits()
    limits.keepAlive = .seconds(60)
    limits.lingering = .seconds(2)
    var drain = DrainPolicy()
    drain.idle = .seconds(1)
    return ConnectionState(limits: limits, drain: drain, at: start)
  }

  func head(
    _ version: HTTPVersion = .http1_1, _ headers: HTTPHeaders = ["Host": "x"], _ method: HTTPMethod = .GET
  ) -> HTTPRequestHead {
    HTTPRequestHead(version: version, method: method, uri: "/a?b=c", headers: headers)
  }

  /// Receives a whole request and answers it; returns the exchange.
  func run(_ state: inout ConnectionState, _ head: HTTPRequestHead) -> Exchange? {
    guard state.receiveHead(head, requestID: "id", client: "c", at: start) == .forward else { return nil }
    _ = state.receiveEnd()
    _ = state.beginAnswer(status: 200, route: "/a")
    return state.endAnswer(at: start)
  }

  @Test func keepsHTTP11OpenAndClosesHTTP10() {
    var state = state()
    #expect(run(&state, head())?.closes == false)
    #expect(run(&state, head(.http1_0, [:]))?.closes == true)
    #expect(state.receiveHead(head(), requestID: "", client: "", at: start) == .drop)
  }

  @Test(arguments: ["close", "Close", "CLOSE"])
  func closesWhenAskedInAnyCase(_ value: String) {
    var state = state()
    #expect(run(&state, head(.http1_1, ["Host": "x", "Connection": value]))?.closes == true)
  }

  @Test func keepsHTTP10OpenWhenAsked() {
    var state = state()
    #expect(run(&state, head(.http1_0, ["Connection": "Keep-Alive"]))?.closes == false)
  }

  @Test func refusesAnythingButOneHost() {
    var state = state()
    #expect(state.receiveHead(head(.http1_1, [:]), requestID: "", client: "", at: start) == .refuse(.missingHost))
    var other = self.state()
    let twice: HTTPHeaders = ["Host": "x", "host": "y"]
    #expect(other.receiveHead(head(.http1_1, twice), requestID: "", client: "", at: start) == .refuse(.repeatedHost))
    #expect(!other.forwardsBody)
    let forwardsEnd = other.receiveEnd()
    #expect(!forwardsEnd)
  }

  @Test func closesAfterAnAnswerThatDidNotWaitForTheBody() {
    var state = state()
    _ = state.receiveHead(head(), requestID: "", client: "", at: start)
    #expect(state.beginAnswer(status: 413, route: nil)?.closes == true)
    #expect(state.endAnswer(at: start)?.closes == true)
  }

  @Test func neverSendsABodyForHEAD() {
    var state = state()
    _ = state.receiveHead(head(.http1_1, ["Host": "x"], .HEAD), requestID: "", client: "", at: start)
    _ = state.receiveEnd()
    _ = state.beginAnswer(status: 404, route: nil)
    let sendsBody = state.sendBody(10)
    #expect(!sendsBody)
    #expect(state.endAnswer(at: start)?.bytes == 0)
  }

  @Test func dropsASecondAnswerToOneRequest() {
    var state = state()
    #expect(run(&state, head()) != nil)
    #expect(state.beginAnswer(status: 400, route: nil) == nil)
    let sendsBody = state.sendBody(1)
    #expect(!sendsBody)
    #expect(state.endAnswer(at: start) == nil)
  }

  @Test func idleConnectionsEndAfterTheKeepAliveTime() {
    var state = state()
    #expect(state.deadline == start + .seconds(60))
    #expect(state.expire(at: start + .seconds(59)) == nil)
    #expect(state.expire(at: start + .seconds(60)) == .closeOutput)
    state.outputClosed(at: start + .seconds(60))
    #expect(state.expire(at: start + .seconds(62)) == .closeAll)
  }

  @Test func aDrainedIdleConnectionMayStillAskOnce() {
    var state = state()
    state.drain(at: start)
    #expect(state.deadline == start + .seconds(1))
    #expect(run(&state, head())?.closes == true)
  }

  @Test func aRequestUnderWayHasNoDeadlineAndIsTheLastOfADrain() {
    var state = state()
    _ = state.receiveHead(head(), requestID: "", client: "", at: start)
    _ = state.receiveEnd()
    state.drain(at: start)
    #expect(state.deadline == nil)
    #expect(state.beginAnswer(status: 200, route: nil)?.closes == true)
  }

  @Test func aLostConnectionGivesUpItsExchangeOnce() {
    var state = state()
    _ = state.receiveHead(head(), requestID: "id", client: "c", at: start)
    let record = state.connectionLost()?.record(at: start + .milliseconds(1500), isAborted: true)
    #expect(
      record
        == AccessRecord(
          requestID: "id", method: "GET", path: "/a", route: "-", status: 499, bytes: 0, durationMilliseconds: 1500,
          client: "c", isAborted: true))
    #expect(state.connectionLost() == nil)
  }

  @Test func tellsAHandlerOfABrokenBodyAndAnswersABrokenHeadItself() {
    var state = state()
    #expect(state.receiveUnreadable(.malformed, requestID: "", client: "", at: start) == .refuse(.malformed))
    var busy = self.state()
    _ = busy.receiveHead(head(), requestID: "", client: "", at: start)
    #expect(busy.receiveUnreadable(.malformed, requestID: "", client: "", at: start) == .forward)
    #expect(busy.beginAnswer(status: 400, route: nil)?.closes == true)
  }
}
