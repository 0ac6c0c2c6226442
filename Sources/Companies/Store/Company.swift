import GRDB

/// A company, as it is kept and as it is sent.
struct Company: Codable, Sendable, Equatable, FetchableRecord, TableRecord {
  static let databaseTableName = "company"

  var id: Int64
  var name: String
  var city: String?
  /// ISO 3166-1, two letters.
  var country: String?
  var industry: String?
  var employees: Int?
  /// A year.
  var founded: Int?
}
