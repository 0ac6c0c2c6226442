import Foundation
import Hummingbird

/// The query of a request, as a form sends it: `+` is a blank, `%` introduces two hexadecimal digits.
struct Query {
  private let pairs: [(name: Substring, value: Substring)]

  init(of request: Request) {
    pairs = (request.uri.query ?? "").split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (parts[0], parts.count > 1 ? parts[1] : "")
    }
  }

  /// A parameter as it was sent.
  enum Value: Equatable {
    case missing
    case undecodable
    case text(String)
  }

  /// The first parameter of this name.
  subscript(name: String) -> Value {
    guard let pair = pairs.first(where: { $0.name == name }) else { return .missing }
    return pair.value.replacing("+", with: " ").removingPercentEncoding.map(Value.text) ?? .undecodable
  }

  /// A whole number within `range`, or `fallback` when the parameter is missing.
  func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws(AppError) -> Int {
    switch self[name] {
    case .missing: return fallback
    case .text(let text):
      if let value = Int(text), range.contains(value) { return value }
      fallthrough
    case .undecodable:
      let message = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
      throw AppError.unprocessable([.init(field: name, message: message)])
    }
  }
}
