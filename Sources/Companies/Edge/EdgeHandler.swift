import HTTPTypes
import NIOCore
import NIOHTTP1

/// The server's side of one HTTP/1 connection, between the codec and the request's task.
///
/// It gives each request its id, mends what the packages above leave open in HTTP/1 (RFC 9112: Host, `Connection` in
/// any case, HTTP/1.0, bodies of HEAD, `Expect`), keeps the connection's deadlines, drains, and writes the access
/// record. A record's time runs from the moment the head is parsed to the moment the kernel has taken the last byte of
/// the answer, or the connection was lost.
///
/// Everything runs on the connection's event loop; ``ConnectionState`` decides.
final class EdgeHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private var state: ConnectionState
  private var deadlines = DeadlineTimer()
  private var date = HTTPDate()
  private var client = Exchange.noRoute
  private let accessLog: AccessLog

  init(limits: EdgeLimits, drain: DrainPolicy, accessLog: AccessLog) {
    state = ConnectionState(limits: limits, drain: drain, at: .now())
    self.accessLog = accessLog
  }

  // MARK: Inbound

  func channelActive(context: ChannelHandlerContext) {
    client = context.remoteAddress?.ipAddress ?? Exchange.noRoute
    schedule(context)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): receive(head, context)
    case .body: if state.forwardsBody { context.fireChannelRead(data) }
    case .end: if state.receiveEnd() { context.fireChannelRead(data) }
    }
  }

  private func receive(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    let requestID = RequestID.choose(offered: head.headers[RequestID.header])
    switch state.receiveHead(head, requestID: requestID, client: client, at: .now()) {
    case .forward:
      if head.expectsContinue { sendContinue(context) }
      var head = head
      head.headers.replaceOrAdd(name: RequestID.header, value: requestID)
      context.fireChannelRead(wrapInboundOut(.head(head)))
    case .refuse(let refusal):
      refuse(refusal, requestID: requestID, context)
    case .drop:
      return
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let parserError = error as? HTTPParserError else { return context.fireErrorCaught(error) }
    let refusal: ConnectionState.Refusal = parserError == .headerOverflow ? .headTooLarge : .malformed
    let requestID = RequestID.generate()
    switch state.receiveUnreadable(refusal, requestID: requestID, client: client, at: .now()) {
    case .refuse(let refusal): refuse(refusal, requestID: requestID, context)
    case .forward: context.fireErrorCaught(error)
    case .ignore: return
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ConnectionRegistry.DrainEvent:
      state.drain(at: .now())
      schedule(context)
    case ChannelEvent.outputClosed:
      state.outputClosed(at: .now())
      schedule(context)
      context.fireUserInboundEventTriggered(event)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadlines.cancel()
    if let exchange = state.connectionLost() { accessLog.write(exchange.record(at: .now(), isAborted: true)) }
    context.fireChannelInactive()
  }

  // MARK: Outbound

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head): send(head, context, promise)
    case .body(let body): send(body, context, promise)
    case .end(let trailers): sendEnd(trailers, context, promise)
    }
  }

  private func send(_ head: HTTPResponseHead, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    var head = head
    let route = head.headers.first(name: RouteField.header)
    guard let exchange = state.beginAnswer(status: head.status.code, route: route) else { return drop(promise) }
    head.headers.remove(name: RouteField.header)
    head.frame(for: exchange)
    head.headers.replaceOrAdd(name: RequestID.header, value: exchange.requestID)
    head.headers.replaceOrAdd(name: "Date", value: date.now())
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }

  private func send(_ body: IOData, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    guard state.sendBody(body.readableBytes) else { return drop(promise) }
    context.write(wrapOutboundOut(.body(body)), promise: promise)
  }

  private func sendEnd(_ trailers: HTTPHeaders?, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
    guard let exchange = state.endAnswer(at: .now()) else { return drop(promise) }
    let written = promise ?? context.eventLoop.makePromise()
    written.futureResult.assumeIsolated().whenComplete { [accessLog] result in
      accessLog.write(exchange.record(at: .now(), isAborted: result.isFailure))
    }
    context.write(wrapOutboundOut(.end(trailers)), promise: written)
    if exchange.closes {
      context.flush()
      context.close(mode: .output, promise: nil)
    }
    schedule(context)
  }

  /// A part nobody asked for: the connection is closing, or it is the body of an answer to HEAD.
  private func drop(_ promise: EventLoopPromise<Void>?) { promise?.succeed() }

  private func sendContinue(_ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
  }

  private func refuse(_ refusal: ConnectionState.Refusal, requestID: String, _ context: ChannelHandlerContext) {
    let answer = Problem(refusal, requestID: requestID).encoded()
    let headers: HTTPHeaders = ["Content-Type": Problem.mediaType, "Content-Length": String(answer.count)]
    let status = HTTPResponseStatus(statusCode: refusal.status.code)
    send(HTTPResponseHead(version: .http1_1, status: status, headers: headers), context, nil)
    send(.byteBuffer(context.channel.allocator.buffer(bytes: answer)), context, nil)
    sendEnd(nil, context, nil)
    context.flush()
  }

  // MARK: Deadlines

  private func schedule(_ context: ChannelHandlerContext) {
    guard let deadline = state.deadline else { return }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    deadlines.arm(deadline, on: context.eventLoop) { [self] in expire(bound.value) }
  }

  private func expire(_ context: ChannelHandlerContext) {
    switch state.expire(at: .now()) {
    case .closeOutput: context.close(mode: .output, promise: nil)
    case .closeAll: context.close(mode: .all, promise: nil)
    case nil: schedule(context)
    }
  }
}

/// One timer for a deadline that mostly moves later: it fires at the old time and is armed again, which spares a
/// request two heap operations.
private struct DeadlineTimer {
  private var timer: Scheduled<Void>?
  private var armedFor = NIODeadline.distantFuture

  mutating func arm(_ deadline: NIODeadline, on loop: any EventLoop, _ fire: @escaping () -> Void) {
    guard deadline < armedFor || armedFor <= .now() else { return }
    timer?.cancel()
    armedFor = deadline
    timer = loop.assumeIsolated().scheduleTask(deadline: deadline, fire)
  }

  mutating func cancel() { timer?.cancel() }
}

extension Result {
  fileprivate var isFailure: Bool {
    if case .failure = self { return true }
    return false
  }
}

extension HTTPRequestHead {
  /// RFC 9110, 10.1.1: a client that waits for leave to send its body. HTTP/1.0 has no such thing.
  fileprivate var expectsContinue: Bool {
    !version.isOld && headers["expect"].contains { $0.lowercased() == "100-continue" }
  }
}

extension HTTPResponseHead {
  /// Says how the connection goes on, in words the client's version knows. RFC 9112, 9.3 and 9.6.
  fileprivate mutating func frame(for exchange: Exchange) {
    version = exchange.version.isOld ? .http1_0 : .http1_1
    if exchange.closes {
      headers.replaceOrAdd(name: "Connection", value: "close")
    } else if version == .http1_0 {
      headers.replaceOrAdd(name: "Connection", value: "keep-alive")
    }
  }
}
