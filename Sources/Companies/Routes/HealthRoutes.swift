import Hummingbird

/// `GET /health/live`: the process answers. `GET /health/ready`: it wants requests, and its store answers too.
struct HealthRoutes {
  let store: Store
  let readiness: Readiness

  struct Health: Encodable {
    var status: String
  }

  func add(to router: Router<CompaniesContext>) {
    router.resource("/health/live", [.get: { _, _ in try .json(Health(status: "live")) }])
    router.resource("/health/ready", [.get: ready])
  }

  @Sendable private func ready(_ request: Request, _ context: CompaniesContext) async throws -> Response {
    // Draining is no error, so nothing is thrown: it would leave an error record at every probe.
    guard !readiness.isDraining else {
      return Problem(.serviceUnavailable, detail: "draining", requestID: request.id).response()
    }
    try await store.check()
    return try .json(Health(status: "ready"))
  }
}
