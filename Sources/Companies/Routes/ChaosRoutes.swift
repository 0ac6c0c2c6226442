import Glibc
import Hummingbird
import NIOCore

/// Ways to fail, for tests of what stands around this program. They exist only with `COMPANIES_CHAOS=1`.
struct ChaosRoutes {
  /// What `/chaos/error` throws: an error nobody foresaw.
  struct UnforeseenError: Error {}

  func add(to router: Router<CompaniesContext>) {
    router.resource("/chaos/trap", [.get: trap])
    router.resource("/chaos/abort", [.get: { _, _ in Glibc.abort() }])
    router.resource("/chaos/hang", [.get: hang])
    router.resource("/chaos/error", [.get: { _, _ in throw UnforeseenError() }])
  }

  /// Reads past the end of an array: a trap, which nothing in this process can catch.
  @Sendable private func trap(_ request: Request, _ context: CompaniesContext) async throws -> Response {
    let bytes = Array(request.uri.path.utf8)
    return .text("\(bytes[bytes.count])")
  }

  /// Holds the connection's event loop for ever: every connection of it stops, and SIGTERM finds nobody at home.
  @Sendable private func hang(_ request: Request, _ context: CompaniesContext) async throws -> Response {
    context.channel.eventLoop.execute { while true { pause() } }
    return .text("hanging")
  }
}
