import NIOCore
import NIOHTTP1

/// What one HTTP/1 connection may do next. Parts and times come in, decisions go out; the handler around it acts.
///
/// ```
///            head                       end of answer, and the connection stays
///   idle ────────────▶ busy(exchange) ───────────────────────────────▶ idle
///    │ time is up, or    │ end of the last answer
///    │ drained           ▼
///    └──────────────▶ closing ── our side is shut ──▶ lingering ── the peer's side is shut, or time is up ──▶ gone
/// ```
///
/// The pipelining handler below lets one request in at a time, so there is at most one exchange. An answer is the last
/// when the client says so, when the request was not read to its end before the answer began (its rest may be endless),
/// and when the worker drains.
struct ConnectionState {
  enum Phase {
    case idle(until: NIODeadline)
    case busy(Exchange)
    case closing
    case lingering(until: NIODeadline)
  }

  /// What becomes of a request's head.
  enum Admission: Equatable {
    case forward
    case refuse(Refusal)
    case drop
  }

  /// A request that ends at the edge.
  enum Refusal: Equatable {
    case missingHost
    case repeatedHost
    case malformed
    case headTooLarge
  }

  /// What follows from a broken request.
  enum ParserFailure: Equatable {
    /// Its handler waits for the rest of the body and must hear of it.
    case forward
    case refuse(Refusal)
    case ignore
  }

  /// What is due when the deadline has passed.
  enum Expiry: Equatable {
    case closeOutput
    case closeAll
  }

  private(set) var phase: Phase
  private(set) var isDraining = false
  private let limits: EdgeLimits
  private let idleDrain: Duration

  init(limits: EdgeLimits, drain: DrainPolicy, at now: NIODeadline) {
    self.limits = limits
    idleDrain = drain.idle
    phase = .idle(until: now + TimeAmount(limits.keepAlive))
  }

  /// When ``expire(at:)`` has something to say. A request under way has no deadline here: the drain has one for all of
  /// them.
  var deadline: NIODeadline? {
    switch phase {
    case .idle(let until), .lingering(let until): until
    case .busy, .closing: nil
    }
  }

  // MARK: What the client sends

  mutating func receiveHead(
    _ head: HTTPRequestHead, requestID: String, client: String, at now: NIODeadline
  ) -> Admission {
    guard case .idle = phase else { return .drop }
    var exchange = Exchange(head: head, requestID: requestID, client: client, at: now)
    let refusal = Self.refusal(of: head)
    exchange.isRefused = refusal != nil
    phase = .busy(exchange)
    return refusal.map(Admission.refuse) ?? .forward
  }

  /// Whether a part of the body goes on to the handler.
  var forwardsBody: Bool {
    if case .busy(let exchange) = phase { return !exchange.isRefused }
    return false
  }

  /// Whether the end of the request goes on to the handler.
  mutating func receiveEnd() -> Bool {
    guard case .busy(var exchange) = phase else { return false }
    exchange.isRequestComplete = true
    phase = .busy(exchange)
    return !exchange.isRefused
  }

  mutating func receiveUnreadable(
    _ refusal: Refusal, requestID: String, client: String, at now: NIODeadline
  ) -> ParserFailure {
    switch phase {
    case .idle:
      phase = .busy(Exchange(unreadableFrom: client, requestID: requestID, at: now))
      return .refuse(refusal)
    case .busy(var exchange):
      exchange.closes = true
      phase = .busy(exchange)
      return exchange.isRefused ? .ignore : .forward
    case .closing, .lingering:
      return .ignore
    }
  }

  // MARK: What the handler answers

  /// The exchange whose answer begins, or nil when there is none to answer: then the part is dropped.
  mutating func beginAnswer(status: UInt, route: String?) -> Exchange? {
    guard case .busy(var exchange) = phase, exchange.status == 0 else { return nil }
    exchange.status = status
    exchange.route = route ?? exchange.route
    exchange.closes = exchange.closes || isDraining || !exchange.isRequestComplete
    phase = .busy(exchange)
    return exchange
  }

  /// Whether a part of the answer's body goes out. Never for HEAD.
  mutating func sendBody(_ bytes: Int) -> Bool {
    guard case .busy(var exchange) = phase, exchange.status != 0, !exchange.isHead else { return false }
    exchange.bytes += bytes
    phase = .busy(exchange)
    return true
  }

  /// The exchange that ends here, or nil when there is none.
  mutating func endAnswer(at now: NIODeadline) -> Exchange? {
    guard case .busy(let exchange) = phase, exchange.status != 0 else { return nil }
    phase = exchange.closes ? .closing : .idle(until: now + TimeAmount(limits.keepAlive))
    return exchange
  }

  // MARK: The end

  mutating func drain(at now: NIODeadline) {
    isDraining = true
    guard case .idle(let until) = phase else { return }
    phase = .idle(until: min(until, now + TimeAmount(idleDrain)))
  }

  mutating func outputClosed(at now: NIODeadline) {
    if case .lingering = phase { return }
    phase = .lingering(until: now + TimeAmount(limits.lingering))
  }

  mutating func expire(at now: NIODeadline) -> Expiry? {
    switch phase {
    case .idle(let until) where until <= now:
      phase = .closing
      return .closeOutput
    case .lingering(let until) where until <= now:
      return .closeAll
    case .idle, .lingering, .busy, .closing:
      return nil
    }
  }

  /// The exchange that lost its connection, if one did.
  mutating func connectionLost() -> Exchange? {
    defer { phase = .closing }
    guard case .busy(let exchange) = phase else { return nil }
    return exchange
  }

  /// RFC 9112, 3.2: an HTTP/1.1 request has exactly one Host field.
  private static func refusal(of head: HTTPRequestHead) -> Refusal? {
    let hosts = head.headers["host"].count
    if hosts > 1 { return .repeatedHost }
    return hosts == 0 && !head.version.isOld ? .missingHost : nil
  }
}

extension HTTPVersion {
  /// Before HTTP/1.1: no Host, no chunks, no `100 Continue`, and a connection that ends with its answer unless asked
  /// otherwise.
  var isOld: Bool { major < 1 || (major == 1 && minor < 1) }
}
