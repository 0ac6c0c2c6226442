import Foundation
import Testing

/// What npm `debug` 4.4.3 was seen to do: the rows of `Cases/debug-*-cases.json`.
enum DebugCases {
  /// Whether the channel `namespace` is on under `DEBUG=debug`; no `debug` is an unset variable.
  struct Match: Decodable, Sendable, CustomTestStringConvertible {
    let id: String
    let group: String
    let debug: String?
    let namespace: String
    let enabled: Bool
    var testDescription: String { "\(id) \(group)" }
  }

  /// What `enable(debug)` parses, and what `disable()` then returns.
  struct Parse: Decodable, Sendable, CustomTestStringConvertible {
    let debug: String
    let names: [String]
    let skips: [String]
    let disable: String
    var testDescription: String { debug.debugDescription }
  }

  /// What a program of `js` printed. A variable that is null in `env` was not set.
  struct Output: Decodable, Sendable, CustomTestStringConvertible {
    let id: String
    let name: String
    /// `pipe`, `colors` (the same with DEBUG_COLORS) or `pty`.
    let mode: String
    let env: [String: String?]
    let js: String
    let stderr: String
    let stdout: String?
    var testDescription: String { "\(id) \(name)" }
  }

  struct Colors: Decodable, Sendable {
    let basicPalette: [UInt8]
    let extendedPalette: [UInt8]
    let cases: [Color]
  }

  struct Color: Decodable, Sendable, CustomTestStringConvertible {
    let namespace: String
    let hash: Int32
    let basic: UInt8
    let extended: UInt8
    var testDescription: String { namespace.debugDescription }
  }

  struct Interval: Decodable, Sendable, CustomTestStringConvertible {
    let ms: Double
    let text: String
    var testDescription: String { "\(ms) ms" }
  }

  static func matches() throws -> [Match] { try rows("debug-match-cases") }
  static func parses() throws -> [Parse] { try rows("debug-parse-cases") }
  static func intervals() throws -> [Interval] { try rows("debug-interval-cases") }
  static func outputs() throws -> [Output] { try rows("debug-output-cases") }
  static func colors() throws -> Colors { try decode("debug-color-cases") }

  /// A test without arguments passes, so a file without rows has to be a failure.
  private static func rows<Row: Decodable>(_ file: String) throws -> [Row] {
    let rows: [Row] = try decode(file)
    try #require(!rows.isEmpty, "\(file).json has no rows")
    return rows
  }

  private static func decode<Value: Decodable>(_ file: String) throws -> Value {
    let url = Bundle.module.bundleURL.appending(path: "Cases/\(file).json")
    return try JSONDecoder().decode(Value.self, from: Data(contentsOf: url))
  }
}
