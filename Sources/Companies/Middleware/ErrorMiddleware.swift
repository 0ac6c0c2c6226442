import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// The one place where an error becomes an answer. Outermost: what a handler, a middleware, the router, a decoder or a
/// child task throws ends here.
///
/// A 5xx leaves one error record. What the client is told depends on the environment: see ``AppError``.
struct ErrorMiddleware: RouterMiddleware {
  typealias Context = CompaniesContext

  let environment: CompaniesConfiguration.Environment
  let errorLog: ErrorLog

  func handle(
    _ request: Request, context: CompaniesContext,
    next: @concurrent (Request, CompaniesContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      return answer(to: error, request, context)
    }
  }

  private func answer(to error: any Error, _ request: Request, _ context: CompaniesContext) -> Response {
    let failure = Self.failure(of: error)
    if failure.status.kind == .serverError { log(error, failure.status, request, context) }
    return problem(of: failure, cause: error, request).response(headers: failure.headers)
  }

  private func log(
    _ error: any Error, _ status: HTTPResponse.Status, _ request: Request, _ context: CompaniesContext
  ) {
    errorLog.write(
      ErrorRecord(
        requestID: request.id, method: request.method.rawValue, path: request.uri.path, route: context.route,
        status: status.code, error: error))
  }

  private func problem(of failure: AppError, cause: any Error, _ request: Request) -> Problem {
    var problem = Problem(failure.status, requestID: request.id)
    problem.instance = request.uri.path
    if !failure.violations.isEmpty { problem.errors = failure.violations }
    let isOurs = failure.status.kind == .serverError
    if !isOurs || environment == .development { problem.detail = failure.detail }
    if isOurs, environment == .development { problem.describe(cause) }
    return problem
  }

  /// Every error as one that has an answer. What nobody foresaw is a 500.
  static func failure(of error: any Error) -> AppError {
    switch error {
    case let error as AppError: error
    case let error as HTTPError: AppError(error)
    case is NIOTooManyBytesError:
      AppError(.contentTooLarge, "the body is larger than \(CompaniesContext.bodyLimit) bytes")
    case is HTTPParserError: .badRequest("the body of the request is malformed")
    case is IOError, is ChannelError: .clientClosedRequest
    case is CancellationError: .unavailable("the request was cancelled")
    case let error as any HTTPResponseError: AppError(error.status)
    default: AppError(.internalServerError, "\(error)")
    }
  }
}

extension AppError {
  fileprivate init(_ error: HTTPError) {
    self.init(error.status, error.body)
    headers = error.headers
  }
}

extension Problem {
  fileprivate mutating func describe(_ cause: any Error) {
    exception = String(reflecting: Swift.type(of: cause))
    guard let error = cause as? AppError else { return }
    file = error.file
    line = error.line
  }
}
