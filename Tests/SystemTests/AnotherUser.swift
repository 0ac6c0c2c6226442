import Foundation
import Glibc
import TestSupport

/// Programs of the package as another user runs them: `nobody`, by Debian's setpriv. Only root can.
enum AnotherUser {
  private static let setpriv = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

  /// Whether that works here. When it does not, `test` is told as not run.
  static func isThere(for test: String, in directory: TemporaryDirectory) throws -> Bool {
    guard getuid() == 0, unsafe access(setpriv[0], X_OK) == 0 else {
      print("not run: \(test) needs root and setpriv")
      return false
    }
    guard try run("treering", ["--version"], in: directory).code == 0 else {
      print("not run: \(test): another user cannot execute \(BuiltProducts.release("treering"))")
      return false
    }
    return true
  }

  /// Runs a program to its end.
  static func run(
    _ program: String, _ arguments: [String], in directory: TemporaryDirectory,
    environment: [String: String] = [:]
  ) throws -> TreeRing.Result {
    try TreeRing.run(
      program: setpriv[0], setpriv.dropFirst() + [BuiltProducts.release(program)] + arguments, in: directory.path,
      environment: environment)
  }
}
