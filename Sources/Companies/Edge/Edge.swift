import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix
import ServiceLifecycle

/// Accepts connections and runs each in a task of its own, until the worker is told to stop; then drains them.
///
/// Hummingbird's own server cannot adopt a listening socket and loses requests when it stops, so this one takes its
/// router, its request loop and its types, and leaves its server out.
///
/// ## The drain
///
/// 1. Readiness turns to 503, accepting stops, and our hold on the listening socket is closed: with a shared socket, the
///    other workers accept instead.
/// 2. A moment later every connection is told. A request under way is answered with `Connection: close`; an idle
///    connection may still send one, since it may be on its way already.
/// 3. At the deadline what is left is closed hard, and its handlers are cancelled.
///
/// A connection's channel is wrapped for async use by the very task that runs it. Wrapped where it is accepted, it
/// could be dropped in between, which NIO answers with a trap (apple/swift-nio issues 2813 and 3481).
struct Edge: Sendable {
  let configuration: CompaniesConfiguration
  let readiness: Readiness
  let accessLog: AccessLog
  let requestLoop: HTTP1Channel
  let logger: Logger
  private let connections: ConnectionRegistry

  init(
    configuration: CompaniesConfiguration, readiness: Readiness, accessLog: AccessLog, logger: Logger,
    respond: @escaping HTTPChannelHandler.Responder
  ) {
    self.configuration = configuration
    self.readiness = readiness
    self.accessLog = accessLog
    self.logger = logger
    requestLoop = HTTP1Channel(responder: respond)
    connections = ConnectionRegistry(limit: configuration.limits.connections)
  }

  /// Listens, says where, and returns when every connection is gone after a graceful shutdown or a cancellation.
  /// - Throws: ``StartError`` when it cannot listen.
  func run(on loops: any EventLoopGroup, onListening: @Sendable (Int) async -> Void) async throws {
    let socket = try ListeningSocket(configuration.listening, backlog: configuration.limits.backlog)
    await onListening(socket.port)
    await withTaskGroup { tasks in
      tasks.addTask { await drainWhenAsked(socket) }
      tasks.addTask { await serveAll(Acceptor(socket: socket, loops: loops)) }
      // Either every connection is gone, or the deadline is over for those that are not.
      await tasks.next()
      tasks.cancelAll()
    }
  }

  private func drainWhenAsked(_ socket: ListeningSocket) async {
    do {
      try await gracefulShutdown()
      readiness.beginDraining()
      socket.stop()
      try await Task.sleep(for: configuration.drain.settling)
      connections.drain()
      try await Task.sleep(for: configuration.drain.deadline)
    } catch {
      // Cancelled: every connection is gone already, or the process is told to end now. Either way what follows is right.
    }
    socket.stop()
    connections.closeAll()
  }

  private func serveAll(_ acceptor: Acceptor) async {
    await withDiscardingTaskGroup { serving in
      await acceptor.run { descriptor, loop in serving.addTask { await serve(descriptor, on: loop) } }
    }
  }

  private func serve(_ descriptor: Int32, on loop: any EventLoop) async {
    guard let channel = try? await bootstrap(loop).withConnectedSocket(descriptor).get() else { return }
    guard connections.admit(channel), let connection = try? await wrap(channel) else {
      return channel.close(promise: nil)
    }
    channel.setOption(.autoRead, value: true).whenFailure { _ in channel.close(promise: nil) }
    await requestLoop.handle(value: connection, logger: logger)
  }

  /// Nothing has been read from the channel yet, so nothing is lost between its first byte and this.
  private func wrap(_ channel: any Channel) async throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
    try await channel.eventLoop.submit {
      // On a closed channel the wrapping would fail after it has made a writer, which traps when nobody finishes it.
      guard channel.isActive else { throw ChannelError.ioOnClosedChannel }
      return try NIOAsyncChannel(
        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }.get()
  }

  private func bootstrap(_ loop: any EventLoop) -> ClientBootstrap {
    ClientBootstrap(group: loop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.autoRead, value: false)
      .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try addHandlers(to: channel) } }
  }

  private func addHandlers(to channel: any Channel) throws {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = configuration.limits.headerBytes
    limits.maxHeaderListSize = configuration.limits.headerBytes
    limits.maxHeaderFieldCount = configuration.limits.headerFields
    let pipeline = channel.pipeline.syncOperations
    try pipeline.configureHTTPServerPipeline(
      withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
      withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
    try pipeline.addHandler(
      EdgeHandler(limits: configuration.limits, drain: configuration.drain, accessLog: accessLog))
    try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
  }
}
