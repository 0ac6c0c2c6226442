import HTTPTypes

/// The name of one request, in its records, its answer, and whatever it calls.
enum RequestID {
  /// The field that carries it in and out.
  static let header = "X-Request-ID"

  /// The field's name for typed headers.
  static let field = HTTPField.Name(header)

  static let maximumLength = 128

  /// The id a client or proxy offers, when it is one and sane; else a new one.
  static func choose(offered: [String]) -> String {
    guard offered.count == 1, let id = offered.first, isSane(id) else { return generate() }
    return id
  }

  /// 128 random bits, in hexadecimal.
  static func generate() -> String {
    hexadecimal(UInt64.random(in: .min ... .max)) + hexadecimal(UInt64.random(in: .min ... .max))
  }

  /// Visible ASCII, and not too much of it: it goes into log lines and headers as it is.
  static func isSane(_ id: String) -> Bool {
    (1...maximumLength).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  private static func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// Carries the matched route from the router to the edge, inside the process: the edge takes it off before the answer
/// is encoded.
enum RouteField {
  static let header = "X-Internal-Route"
  static let name = HTTPField.Name(header)
}
