import Foundation

/// What is written about the library, and where it is.
enum Documentation {
  /// The package's root.
  static let root: String = {
    let here = URL(fileURLWithPath: #filePath)
    return (0..<3).reduce(here) { url, _ in url.deletingLastPathComponent() }.path
  }()

  /// The directory of these tests.
  static let directory = root + "/Tests/DocumentationTests"

  /// Every Markdown text: the README and the articles.
  static let texts: [String] = ["README.md"] + files(below: "Sources", "md") + files(below: "Benchmarks", "md")

  /// The sources of the libraries that others use, for the examples in their comments.
  static let sources: [String] = ["TreeRing", "TreeRingFoundation", "TreeRingLogging"].flatMap {
    files(below: "Sources/" + $0, "swift")
  }

  /// The blocks of each file, in the order of the names.
  static func blocks(of files: [String]) throws -> [[CodeBlock]] {
    try files.map { file in
      CodeBlock.blocks(in: try String(contentsOfFile: root + "/" + file, encoding: .utf8), of: file)
    }
  }

  private static func files(below directory: String, _ ending: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: root + "/" + directory)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix("." + ending) }.sorted().map { directory + "/" + $0 }
  }
}
