import Foundation
import Glibc

/// The programs that are built beside the tests.
package enum BuiltProducts {
  /// Where they are: the directory of the test executable.
  package static let directory: String = {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    let path = String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
  }()

  /// The path of a program of this package.
  package static func program(_ name: String) -> String { name.hasPrefix("/") ? name : directory + "/" + name }

  /// The path of a program of this package as `swift build -c release` makes it; that build must have been made.
  package static func release(_ name: String) -> String {
    directory.replacingOccurrences(of: "/debug", with: "/release") + "/" + name
  }
}
