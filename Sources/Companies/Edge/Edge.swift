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
/// 1. Readiness turns to 503, and accepting stops: with a shared socket, the other workers accept instead.
/// 2. A moment later every connection is told. A request under way is answered with `Connection: close`; an idle
///    connection may still send one, since it may be on its way already.
/// 3. The listening socket is closed; in other processes it stays open.
/// 4. At the deadline what is left is closed hard.
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
  func run(on group: any EventLoopGroup, onListening: @Sendable (Int) async -> Void) async throws {
    let (accepted, intake) = AsyncStream.makeStream(of: (any Channel).self)
    let listener = try await ListeningSocket.open(configuration.listening, bootstrap(group, intake))
    await onListening(listener.localAddress?.port ?? 0)
    await withTaskGroup { tasks in
      tasks.addTask { await drainWhenAsked(listener, intake) }
      await withDiscardingTaskGroup { serving in
        for await channel in accepted { serving.addTask { await serve(channel) } }
      }
      tasks.cancelAll()
    }
  }

  private func serve(_ channel: any Channel) async {
    do {
      let connection = try await channel.eventLoop.submit {
        guard channel.isActive else { throw ChannelError.ioOnClosedChannel }
        return try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
          wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
      }.get()
      channel.setOption(.autoRead, value: true).whenFailure { _ in channel.close(promise: nil) }
      await requestLoop.handle(value: connection, logger: logger)
    } catch {
      channel.close(promise: nil)
    }
  }

  private func drainWhenAsked(_ listener: any Channel, _ intake: AsyncStream<any Channel>.Continuation) async {
    do {
      try await gracefulShutdown()
      readiness.beginDraining()
      try await listener.setOption(.autoRead, value: false).get()
      try await Task.sleep(for: configuration.drain.settling)
      connections.drain()
      try await listener.close().get()
      intake.finish()
      try await Task.sleep(for: configuration.drain.deadline)
    } catch {
      // Cancelled: every connection is gone already, or the process is told to end now. Either way what follows is
      // right.
    }
    listener.close(promise: nil)
    intake.finish()
    connections.closeAll()
  }

  private func bootstrap(
    _ group: any EventLoopGroup, _ intake: AsyncStream<any Channel>.Continuation
  ) -> ServerBootstrap {
    ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: configuration.limits.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try addHandlers(to: channel, intake) }
      }
  }

  private func addHandlers(to channel: any Channel, _ intake: AsyncStream<any Channel>.Continuation) throws {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = configuration.limits.headerBytes
    limits.maxHeaderListSize = configuration.limits.headerBytes
    limits.maxHeaderFieldCount = configuration.limits.headerFields
    let pipeline = channel.pipeline.syncOperations
    try pipeline.configureHTTPServerPipeline(
      withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
      withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
    try pipeline.addHandler(
      EdgeHandler(limits: configuration.limits, drain: configuration.drain, accessLog: accessLog) { channel in
        guard connections.admit(channel), case .enqueued = intake.yield(channel) else {
          return channel.close(promise: nil)
        }
      })
    try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
  }
}
