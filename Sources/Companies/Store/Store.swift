import GRDB
import TreeRing

/// The companies, in one SQLite file that every worker opens.
///
/// Write-ahead logging lets readers go on while one process writes; a second writer waits up to the busy time-out.
/// Reads and writes are async and run on the pool's own queues: no event loop waits for a disk. A write that was
/// answered survives the death of the process; a commit is synchronous (`FULL`), so it survives the loss of power too.
final class Store: Sendable {
  private let pool: DatabasePool

  static let fileName = "companies.sqlite"
  static let busyTimeoutSeconds = 5.0

  /// Opens the store in `directory`, and makes and fills it where it is new. Blocks; safe for any number of processes
  /// at once.
  /// - Throws: ``StartError``.
  init(directory: String) throws(StartError) {
    try DataDirectory.prepare(directory)
    let path = directory + "/" + Self.fileName
    pool = try DataDirectory.withLock(directory) { () throws(StartError) in
      do {
        let pool = try DatabasePool(path: path, configuration: Self.configuration)
        try Schema.prepare(pool)
        return pool
      } catch {
        throw .store(path: path, reason: (error as? DatabaseError)?.message ?? "\(error)")
      }
    }
  }

  /// Closes every connection. Blocks until the statements under way are done.
  func close() throws { try pool.close() }

  /// The company of this id.
  func company(id: Int64) async throws -> Company? {
    try await timed("read company") {
      try await pool.read { try Company.fetchOne($0, sql: "SELECT * FROM company WHERE id = ?", arguments: [id]) }
    }
  }

  /// Up to `limit` companies whose ids follow `id`, in order.
  func companies(after id: Int64, limit: Int) async throws -> [Company] {
    try await timed("read page") {
      try await pool.read {
        try Company.fetchAll(
          $0, sql: "SELECT * FROM company WHERE id > ? ORDER BY id LIMIT ?", arguments: [id, limit])
      }
    }
  }

  /// Keeps a company and gives it an id.
  /// - Throws: ``AppError`` (503) when other writers held the store for longer than the busy time-out.
  func insert(_ company: NewCompany) async throws -> Company {
    do {
      return try await timed("insert company") { try await pool.write { try Schema.insert(company, $0) } }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      throw AppError.unavailable("the store is busy")
    }
  }

  /// Tells the debug channel what was done, and how long it took.
  private func timed<Result>(
    _ what: StaticString, _ statement: nonisolated(nonsending) () async throws -> Result
  ) async throws -> Result {
    let begin = ContinuousClock.now
    defer { Channels.store("\(what.description, "statement") in \(ContinuousClock.now - begin, "took")") }
    return try await statement()
  }

  /// How many there are.
  func count() async throws -> Int {
    try await pool.read { try Company.fetchCount($0) }
  }

  /// Whether the store answers.
  func check() async throws {
    do {
      _ = try await pool.read { try Int.fetchOne($0, sql: "SELECT 1 FROM company LIMIT 1") }
    } catch let error as DatabaseError {
      throw AppError.unavailable("the store does not answer: \(error.message ?? "\(error.resultCode)")")
    }
  }

  static var configuration: Configuration {
    var configuration = Configuration()
    configuration.busyMode = .timeout(busyTimeoutSeconds)
    configuration.label = "companies"
    return configuration
  }
}
