import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// From a request to its answer on the wire: the router finds the answer, its route goes with it to the edge.
struct Responder: Sendable {
  let router: RouterResponder<CompaniesContext>
  let errorLog: ErrorLog
  let logger: Logging.Logger

  /// - Throws: what broke the answer off. The request loop then closes the connection, without the end of the body, so
  ///   the client can tell.
  @concurrent @Sendable func respond(
    to request: Request, writer: consuming ResponseWriter, on channel: any Channel
  ) async throws {
    let context = CompaniesContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
    var response = try await router.respond(to: request, context: context)
    if let field = RouteField.name { response.headers[field] = context.route }
    do {
      try await writer.write(response: response.head, body: response.body)
    } catch {
      // A client that left is no failure of ours: the access record tells it.
      if channel.isActive { log(error, request, context, status: response.status.code) }
      throw error
    }
  }

  private func log(_ error: any Error, _ request: Request, _ context: CompaniesContext, status: Int) {
    errorLog.write(
      ErrorRecord(
        requestID: request.id, method: request.method.rawValue, path: request.uri.path, route: context.route,
        status: status, error: error))
  }
}
