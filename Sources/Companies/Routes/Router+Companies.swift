import Hummingbird
import Logging

extension Router where Context == CompaniesContext {
  /// Every route of the service. The order of the middleware is the order of this text, outermost first.
  static func companies(
    _ configuration: CompaniesConfiguration, store: Store, files: StaticFiles, readiness: Readiness, errorLog: ErrorLog
  ) -> Router<CompaniesContext> {
    let router = Router(context: CompaniesContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: ErrorMiddleware(environment: configuration.environment, errorLog: errorLog))
    router.add(middleware: FileMiddleware<CompaniesContext, StaticFiles>(fileProvider: files, searchForIndexHtml: true))
    CompanyRoutes(store: store).add(to: router)
    SearchRoute().add(to: router)
    HealthRoutes(store: store, readiness: readiness).add(to: router)
    if configuration.isChaosEnabled { ChaosRoutes().add(to: router) }
    return router
  }
}
