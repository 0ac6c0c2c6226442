import Foundation
import NIOCore

/// What a client sends to make a company: a name, and what else it knows.
struct NewCompany: Sendable, Equatable {
  var name: String
  var city: String?
  /// ISO 3166-1, two letters.
  var country: String?
  var industry: String?
  var employees: Int?
  /// A year.
  var founded: Int?

  static let textLength = 1...200
  static let employeeCounts = 0...10_000_000
  static let years = 1000...2100
}

extension NewCompany {
  /// Reads and checks the body of a request.
  /// - Throws: ``AppError``: 400 when it is not a JSON object, 422 with the names of the fields that are not
  ///   acceptable.
  init(json body: ByteBuffer) throws(AppError) {
    let sent: Sent
    do {
      sent = try JSONDecoder().decode(Sent.self, from: Data(body.readableBytesView))
    } catch let error as DecodingError {
      throw AppError(error)
    } catch {
      throw AppError.badRequest("the body is not JSON")
    }
    let violations = sent.violations
    guard violations.isEmpty else { throw AppError.unprocessable(violations) }
    self.init(
      name: sent.name, city: sent.city, country: sent.country, industry: sent.industry,
      employees: sent.employees.map { Int($0) }, founded: sent.founded.map { Int($0) })
  }

  /// The body as JSON has it, where every number is a `Double`: a decoder asked for an `Int` reports 1.5 as bad JSON,
  /// without its field.
  private struct Sent: Decodable {
    var name: String
    var city: String?
    var country: String?
    var industry: String?
    var employees: Double?
    var founded: Double?

    /// Every field that is not acceptable.
    var violations: [AppError.Violation] {
      [
        Self.check("name", name), Self.check("city", city), checkCountry(), Self.check("industry", industry),
        Self.check("employees", employees, NewCompany.employeeCounts),
        Self.check("founded", founded, NewCompany.years),
      ].compactMap(\.self)
    }

    private static func check(_ field: String, _ text: String?) -> AppError.Violation? {
      guard let text, !textLength.contains(text.count) || text.allSatisfy(\.isWhitespace) else { return nil }
      return .init(field: field, message: "must have \(textLength.lowerBound) to \(textLength.upperBound) characters")
    }

    private static func check(_ field: String, _ value: Double?, _ range: ClosedRange<Int>) -> AppError.Violation? {
      guard let value else { return nil }
      if let whole = Int(exactly: value), range.contains(whole) { return nil }
      return .init(field: field, message: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }

    private func checkCountry() -> AppError.Violation? {
      guard let country else { return nil }
      let isCode = country.utf8.count == 2 && country.utf8.allSatisfy { (0x41...0x5A).contains($0) }
      return isCode ? nil : .init(field: "country", message: "must be two capital letters, as in ISO 3166-1")
    }
  }
}

extension AppError {
  /// What a decoder found wrong, in the words of the client: the field where there is one, the whole body otherwise.
  fileprivate init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, _):
      self = .unprocessable([.init(field: key.stringValue, message: "is missing")])
    case .valueNotFound(_, let context), .typeMismatch(_, let context):
      guard let key = context.codingPath.last else {
        self = .badRequest("the body is not a JSON object")
        return
      }
      self = .unprocessable([.init(field: key.stringValue, message: "has the wrong type")])
    case .dataCorrupted:
      self = .badRequest("the body is not JSON")
    @unknown default:
      self = .badRequest("the body is not JSON")
    }
  }
}
