import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Testing

@testable import Companies

/// Every kind of failure, in both environments, by the same way out.
@Suite struct ErrorMiddlewareTests {
  struct Unforeseen: Error, CustomStringConvertible {
    var description: String { "the secret of the engine room" }
  }

  /// Throws when its route is asked for, as a middleware may.
  struct ThrowingMiddleware: RouterMiddleware {
    func handle(
      _ request: Request, context: CompaniesContext,
      next: @concurrent (Request, CompaniesContext) async throws -> Response
    ) async throws -> Response {
      if request.uri.path == "/middleware" { throw Unforeseen() }
      return try await next(request, context)
    }
  }

  /// Asks one path of a router with routes that fail.
  func ask(
    _ path: String, _ method: HTTPRequest.Method = .get, in environment: CompaniesConfiguration.Environment,
    body: String? = nil
  ) async throws -> (answer: TestResponse, errors: [ErrorRecord]) {
    let errors = Records<ErrorRecord>()
    let router = Router(context: CompaniesContext.self)
    router.add(middleware: ErrorMiddleware(environment: environment, errorLog: ErrorLog(errors.add)))
    router.add(middleware: ThrowingMiddleware())
    router.resource("/middleware", [.get: { _, _ in .text("") }])
    router.resource("/handler", [.get: { _, _ in throw Unforeseen() }])
    router.resource(
      "/await",
      [
        .get: { _, _ in
          await Task.yield()
          throw Unforeseen()
        }
      ])
    router.resource(
      "/child",
      [
        .get: { _, _ in
          try await withThrowingTaskGroup { group in
            group.addTask { throw Unforeseen() }
            try await group.waitForAll()
          }
          return .text("")
        }
      ])
    router.resource("/known", [.get: { _, _ in throw AppError.unavailable("the store sleeps") }])
    router.resource(
      "/body", [.post: { request, _ in .text("\(try await NewCompany(json: request.body.collect(upTo: 100)))") }])
    let application = Hummingbird.Application(responder: router.buildResponder())
    let id = try #require(RequestID.field)
    let answer = try await application.test(.router) { client in
      try await client.execute(
        uri: path, method: method, headers: [id: "r1"], body: body.map(ByteBuffer.init(string:))
      ) { $0 }
    }
    return (answer, errors.all)
  }

  @Test(arguments: ["/handler", "/middleware", "/await", "/child"])
  func anUnforeseenErrorIsTerseInProduction(_ path: String) async throws {
    let (answer, errors) = try await ask(path, in: .production)
    #expect(answer.status == .internalServerError)
    let text = String(buffer: answer.body)
    let expected =
      #"{"instance":"\#(path)","request_id":"r1","status":500,"title":"Internal Server Error","type":"about:blank"}"#
    #expect(text == expected)
    #expect(errors.count == 1)
    #expect(errors.first?.requestID == "r1" && errors.first?.error is Unforeseen)
  }

  @Test func anUnforeseenErrorIsExplainedInDevelopment() async throws {
    let (answer, errors) = try await ask("/handler", in: .development)
    let problem = try json(String(buffer: answer.body))
    #expect(problem["detail"] as? String == "the secret of the engine room")
    #expect((problem["exception"] as? String)?.contains("Unforeseen") == true)
    #expect(errors.count == 1)
  }

  @Test func aForeseenFailureOfOursSaysWhereInDevelopmentOnly() async throws {
    let development = try json(String(buffer: try await ask("/known", in: .development).answer.body))
    #expect((development["file"] as? String)?.hasSuffix("ErrorMiddlewareTests.swift") == true)
    #expect(development["line"] is Int)
    let (answer, errors) = try await ask("/known", in: .production)
    #expect(answer.status == .serviceUnavailable && answer.headers[.retryAfter] == "1")
    let production = try json(String(buffer: answer.body))
    #expect(production["detail"] == nil && production["file"] == nil && production["line"] == nil)
    #expect(errors.count == 1)
  }

  @Test(arguments: [CompaniesConfiguration.Environment.development, .production])
  func theClientsOwnMistakesAreAlwaysExplainedAndNeverErrorsOfOurs(
    _ environment: CompaniesConfiguration.Environment
  ) async throws {
    let (bad, errors) = try await ask("/body", .post, in: environment, body: #"{"name":""}"#)
    #expect(bad.status == .unprocessableContent)
    #expect((try json(String(buffer: bad.body))["detail"] as? String)?.hasPrefix("name ") == true)
    #expect(errors.isEmpty)
    let (large, _) = try await ask("/body", .post, in: environment, body: String(repeating: " ", count: 101))
    #expect(large.status == .contentTooLarge)
    let (method, _) = try await ask("/body", .get, in: environment)
    #expect(method.status == .methodNotAllowed && method.headers[.allow] == "OPTIONS, POST")
    let (missing, none) = try await ask("/nowhere", in: environment)
    #expect(missing.status == .notFound && none.isEmpty)
    #expect(missing.headers[.contentType] == Problem.mediaType)
  }
}
