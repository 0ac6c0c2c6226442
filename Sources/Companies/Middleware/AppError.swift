import HTTPTypes

/// A failure that has an answer: its status, and what the client is told.
///
/// Thrown anywhere below ``ErrorMiddleware``, which turns it into RFC 9457 problem details. The detail of a 4xx is for
/// the client and always sent; that of a 5xx is ours and sent in development only.
struct AppError: Error, CustomStringConvertible {
  /// One field of the request, and what is wrong with it.
  struct Violation: Sendable, Equatable, Encodable {
    var field: String
    var message: String
  }

  var status: HTTPResponse.Status
  var detail: String?
  var headers: HTTPFields = [:]
  var violations: [Violation] = []
  /// Where it was raised, for development.
  var file: String
  var line: UInt

  init(_ status: HTTPResponse.Status, _ detail: String? = nil, file: String = #fileID, line: UInt = #line) {
    self.status = status
    self.detail = detail
    self.file = file
    self.line = line
  }

  var description: String { "\(status)" + (detail.map { ": \($0)" } ?? "") }
}

extension AppError {
  /// The request is wrong as a whole.
  static func badRequest(_ detail: String, file: String = #fileID, line: UInt = #line) -> AppError {
    AppError(.badRequest, detail, file: file, line: line)
  }

  /// There is no such thing here.
  static func notFound(_ detail: String, file: String = #fileID, line: UInt = #line) -> AppError {
    AppError(.notFound, detail, file: file, line: line)
  }

  /// The request is well-formed, and these fields of it are not acceptable.
  static func unprocessable(_ violations: [Violation], file: String = #fileID, line: UInt = #line) -> AppError {
    let detail = violations.map { "\($0.field) \($0.message)" }.joined(separator: "; ")
    var error = AppError(.unprocessableContent, detail, file: file, line: line)
    error.violations = violations
    return error
  }

  /// The path exists, the method does not. RFC 9110, 15.5.6: says which do.
  static func methodNotAllowed(
    _ method: String, allowed: String, file: String = #fileID, line: UInt = #line
  ) -> AppError {
    var error = AppError(.methodNotAllowed, "\(method) is not one of \(allowed)", file: file, line: line)
    error.headers[.allow] = allowed
    return error
  }

  /// Try again soon.
  static func unavailable(_ detail: String, file: String = #fileID, line: UInt = #line) -> AppError {
    var error = AppError(.serviceUnavailable, detail, file: file, line: line)
    error.headers[.retryAfter] = "1"
    return error
  }

  /// The client left while its request was read. Nobody sees the answer, and it is no failure of ours.
  static var clientClosedRequest: AppError {
    AppError(.init(code: Exchange.clientClosedRequest, reasonPhrase: "Client Closed Request"))
  }
}
