import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import TreeRing

/// From a request to its answer on the wire: the router finds the answer, its route goes with it to the edge.
struct Responder: Sendable {
  let router: RouterResponder<CompaniesContext>
  let errorLog: ErrorLog
  /// Whether a client may ask for debug output about its request.
  let isDebugAllowed: Bool
  let logger: Logging.Logger

  /// - Throws: what broke the answer off. The request loop then closes the connection, without the end of the body, so
  ///   the client can tell.
  @concurrent @Sendable func respond(
    to request: Request, writer: consuming ResponseWriter, on channel: any Channel
  ) async throws {
    let context = CompaniesContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
    // Debug channels for this request alone, `X-Debug: companies:*`; in production nobody but the operator decides that (`treering debug`).
    var response = try await DebugChannel.withEnabled(
      DebugField.name.flatMap { request.headers[$0] }, isAuthorized: { isDebugAllowed }
    ) { try await answer(request, context) }
    if let field = RouteField.name { response.headers[field] = context.route }
    do {
      try await writer.write(response: response.head, body: response.body)
    } catch {
      // A client that left is no failure of ours: the access record tells it.
      if channel.isActive { log(error, request, context, status: response.status.code) }
      throw error
    }
  }

  private func answer(_ request: Request, _ context: CompaniesContext) async throws -> Response {
    Channels.request("\(request.method.rawValue, "method") \(request.uri.path, "path") begins") {
      $0["request.id"] = request.id
    }
    let response = try await router.respond(to: request, context: context)
    Channels.request("\(context.route, "route") answers \(response.status.code, "status")") {
      $0["request.id"] = request.id
    }
    return response
  }

  private func log(_ error: any Error, _ request: Request, _ context: CompaniesContext, status: Int) {
    errorLog.write(
      ErrorRecord(
        requestID: request.id, method: request.method.rawValue, path: request.uri.path, route: context.route,
        status: status, error: error))
  }
}

/// The header in which a client names debug channels, in npm `debug`'s language.
enum DebugField {
  static let name = HTTPField.Name("X-Debug")
}
