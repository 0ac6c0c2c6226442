import GRDB

/// The tables, and how a store comes to its present version.
///
/// `user_version` counts the steps taken. A step runs in one immediate transaction that first looks again, so that of
/// many processes that start together one takes it and the others find it taken.
enum Schema {
  static let version = 1

  static func prepare(_ pool: DatabasePool) throws {
    try pool.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
      try database.inTransaction(.immediate) {
        if try currentVersion(database) < version { try create(database) }
        return .commit
      }
    }
  }

  private static func currentVersion(_ database: Database) throws -> Int {
    try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
  }

  private static func create(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE company (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          name TEXT NOT NULL,
          city TEXT,
          country TEXT,
          industry TEXT,
          employees INTEGER,
          founded INTEGER
        ) STRICT
        """)
    for company in Seed.companies() { _ = try insert(company, database) }
    try database.execute(sql: "PRAGMA user_version = \(version)")
  }

  static func insert(_ company: NewCompany, _ database: Database) throws -> Company {
    try database.execute(
      sql: "INSERT INTO company (name, city, country, industry, employees, founded) VALUES (?, ?, ?, ?, ?, ?)",
      arguments: [
        company.name, company.city, company.country, company.industry, company.employees, company.founded,
      ])
    return Company(
      id: database.lastInsertedRowID, name: company.name, city: company.city, country: company.country,
      industry: company.industry, employees: company.employees, founded: company.founded)
  }
}
