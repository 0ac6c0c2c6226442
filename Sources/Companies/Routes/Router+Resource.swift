import Foundation
import HTTPTypes
import Hummingbird

extension Router where Context == CompaniesContext {
  typealias Handler = @Sendable (Request, CompaniesContext) async throws -> Response

  /// One path, and the methods it answers. `OPTIONS` tells them, `HEAD` follows from `GET`, and every other method gets
  /// 405 with `Allow`: the package's router would say 404, which is what a wrong path deserves.
  func resource(_ path: String, _ handlers: [HTTPRequest.Method: Handler]) {
    let implied: [HTTPRequest.Method] = handlers[.get] == nil ? [.options] : [.head, .options]
    let allowed = (handlers.keys.map(\.rawValue) + implied.map(\.rawValue)).sorted().joined(separator: ", ")
    for (method, handler) in handlers { on(path, method, handler) }
    on(path, .options) { _, _ in Response(status: .noContent, headers: [.allow: allowed]) }
    for method in Self.knownMethods where handlers[method] == nil && !implied.contains(method) {
      on(path, method) { request, _ in
        throw AppError.methodNotAllowed(request.method.rawValue, allowed: allowed)
      }
    }
  }

  private func on(_ path: String, _ method: HTTPRequest.Method, _ handler: @escaping Handler) {
    on(RouterPath(path), method: method) { request, context in
      context.coreContext.endpointPath.value = path
      return try await handler(request, context)
    }
  }

  private static var knownMethods: [HTTPRequest.Method] {
    [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect]
  }
}

extension Response {
  /// A value as JSON.
  static func json(
    _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
  ) throws -> Response {
    var headers = headers
    headers[.contentType] = "application/json; charset=utf-8"
    let body = try ByteBuffer(bytes: JSONEncoder.house.encode(value))
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
  }

  /// A line of text.
  static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "text/plain; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
