import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// A log with everything of it that was put aside, in the order in which it was written.
struct RotatedLog {
  let directory: TemporaryDirectory
  let base: String

  /// The file names, oldest first; each file once, though it may be there plain and compressed.
  func names() throws -> [String] {
    let names = directory.names(in: ".").filter { RotatedName($0, base: base) != nil }
    let stamps = Dictionary(grouping: names) { RotatedName($0, base: base)?.stamp ?? "" }
    let chosen = try stamps.keys.sorted().map { stamp in
      let files = stamps[stamp] ?? []
      // What is compressed is complete; a part of a compression is nothing.
      return try #require(
        files.first { $0.hasSuffix(".gz") || $0.hasSuffix(".zst") } ?? files.first { $0 == "\(base).\(stamp)" })
    }
    return chosen + (directory.names(in: ".").contains(base) ? [base] : [])
  }

  /// Every line of every file.
  func lines() throws -> [String] { try names().flatMap(lines) }

  func lines(_ name: String) throws -> [String] {
    var path = directory.file(name)
    if name.hasSuffix(".gz") || name.hasSuffix(".zst") {
      path = directory.file("unpacked")
      let program = name.hasSuffix(".gz") ? "gzip" : "zstd -q"
      try runTool("/bin/sh", "-c", "\(program) -dc < \"$0\" > \"$1\"", directory.file(name), path)
    }
    let text = try #require(String(validating: Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self), "\(name)")
    #expect(text.isEmpty || text.hasSuffix("\n"), "\(name) ends within a line")
    return text.split(separator: "\n").map(String.init)
  }

  func records() throws -> [JSONRecord] { try lines().map { try JSONRecord(line: $0) } }
}
