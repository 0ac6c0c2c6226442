import Foundation
import Hummingbird

/// `GET /search?params=<JSON>`: what Express's page on best practices shows as a route that must not die of bad input.
struct SearchRoute {
  func add(to router: Router<CompaniesContext>) {
    router.resource("/search", [.get: search])
  }

  @Sendable private func search(_ request: Request, _ context: CompaniesContext) async throws -> Response {
    switch Query(of: request)["params"] {
    case .missing: throw AppError.badRequest("params is missing: /search?params=<JSON>")
    case .text(let text) where Self.isJSON(text): .text("Success")
    case .text, .undecodable: .text("Invalid JSON string", status: .badRequest)
    }
  }

  /// Whether `text` is one JSON value (RFC 8259), at most 512 levels deep: the parser refuses more. The edge bounds its
  /// length.
  static func isJSON(_ text: String) -> Bool {
    (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
  }
}
