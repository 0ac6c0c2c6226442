import Foundation
import TestSupport
import TreeRing

/// What a child process of an exit test sees when its program starts logging from the environment.
enum Environment {
  /// The ring directory, while `prepare` runs.
  static var directory: String? { ProcessInfo.processInfo.environment["TREERING_DIR"] }

  /// Sets variables, with a file as sink; runs the program; stops logging; hands over what the file then holds, without the closing records.
  static func prepare(
    _ variables: [String: String], _ program: () throws -> Void, check: ([JSONRecord]) throws -> Void
  ) throws {
    let directory = try TemporaryDirectory()
    let file = directory.file("records.ndjson")
    let places = ["TREERING_DIR": directory.path, "TREERING_SINK": "file:" + file]
    for (name, value) in variables.merging(places, uniquingKeysWith: { $1 }) { unsafe _ = setenv(name, value, 1) }
    try program()
    LogSystem.stop()
    try check(JSONRecord.read(file).filter { $0.logger != "treering" })
  }
}

/// An expectation in the child process of an exit test: an error there ends the child with a failure, and says why on standard error.
func require(_ condition: Bool, _ comment: @autoclosure () -> String) throws {
  if !condition { throw NotMet(comment: comment()) }
}

/// The value, or an error when there is none.
func require<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw NotMet(comment: "no value") }
  return value
}

/// What was expected and is not so.
struct NotMet: Error {
  let comment: String
}
