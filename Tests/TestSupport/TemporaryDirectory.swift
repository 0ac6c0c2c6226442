import Foundation

/// A directory that one test owns, open to nobody else, gone when the test lets go of it.
package final class TemporaryDirectory: Sendable {
  /// Its path.
  package let path: String

  /// Makes it, with mode 0700.
  package init() throws {
    path = NSTemporaryDirectory() + "treering-test-" + UUID().uuidString
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of something in it.
  package func file(_ name: String) -> String { path + "/" + name }

  /// The names in a directory below it, sorted; none when there is no such directory.
  package func names(in directory: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: file(directory)))?.sorted() ?? []
  }
}
