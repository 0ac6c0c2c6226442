import HTTPTypes
import Hummingbird
import NIOCore

/// `GET /companies`, `POST /companies`, `GET /companies/:id`.
struct CompanyRoutes {
  let store: Store

  /// A page of companies, and where the next one begins.
  struct Page: Encodable {
    var companies: [Company]
    var next: Int64?
  }

  static let pageSizes = 1...100

  func add(to router: Router<CompaniesContext>) {
    router.resource("/companies", [.get: list, .post: create])
    router.resource("/companies/:id", [.get: show])
  }

  @Sendable private func show(_ request: Request, _ context: CompaniesContext) async throws -> Response {
    let text = context.parameters.get("id") ?? ""
    guard let id = Int64(text) else { throw AppError.badRequest("id must be a whole number, not \(text)") }
    guard let company = try await store.company(id: id) else { throw AppError.notFound("there is no company \(id)") }
    return try .json(company)
  }

  @Sendable private func list(_ request: Request, _ context: CompaniesContext) async throws -> Response {
    let query = Query(of: request)
    let limit = try query.integer("limit", in: Self.pageSizes, default: 20)
    let after = try query.integer("after", in: 0...Int.max, default: 0)
    let companies = try await store.companies(after: Int64(after), limit: limit + 1)
    let page = Array(companies.prefix(limit))
    return try .json(Page(companies: page, next: companies.count > limit ? page.last?.id : nil))
  }

  @Sendable private func create(_ request: Request, _ context: CompaniesContext) async throws -> Response {
    let body = try await request.body.collect(upTo: context.maxUploadSize)
    let company = try await store.insert(NewCompany(json: body))
    return try .json(company, status: .created, headers: [.location: "/companies/\(company.id)"])
  }
}
