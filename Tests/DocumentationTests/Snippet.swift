import Testing

/// A block of Swift as a file that the compiler takes.
///
/// A block is compiled as a reader would try it: alone, as a script. What an article takes for granted (`order`, `card`) comes from the module `Shop`, which what the
/// block declares itself shadows. A block that imports nothing has the imports of the last one before it that does, as a reader understands it.
struct Snippet: Sendable, CustomTestStringConvertible {
  let block: CodeBlock
  /// Lines before the block.
  let imports: [String]

  var testDescription: String { block.testDescription }

  /// Whether it is a `Package.swift`.
  var isManifest: Bool { block.lines.contains("import PackageDescription") }
  /// Whether it is a program with an entry point of its own, instead of a script.
  var hasMain: Bool { block.lines.contains { $0.contains("@main") } }

  /// The file of this target that it shows word for word: an example of what is not public, named in its first line.
  var shownFile: String? {
    guard let first = block.lines.first, first.hasPrefix("// "), first.hasSuffix(".swift") else { return nil }
    return String(first.dropFirst(3))
  }

  /// The file's text. The compiler's messages name the place in the documentation.
  var source: String {
    let place = "#sourceLocation(file: \"\(block.file)\", line: \(block.line))"
    return (imports + [place] + block.lines + [""]).joined(separator: "\n")
  }

  /// The Swift among the blocks of one file.
  static func snippets(of blocks: [CodeBlock]) -> [Snippet] {
    var imports = blocks.first.map { standardImports(of: $0.file) } ?? []
    return blocks.filter { $0.language == "swift" }.map { block in
      let own = block.lines.filter { $0.hasPrefix("import ") }
      if own.contains("import PackageDescription") { return Snippet(block: block, imports: []) }
      if !own.isEmpty { imports = own }
      let testing = block.lines.contains { $0.contains("@Test") || $0.contains("#expect") } ? ["import Testing"] : []
      return Snippet(block: block, imports: ["import Shop"] + testing + (own.isEmpty ? imports : []))
    }
  }

  /// What a reader imports who has come to this file.
  private static func standardImports(of file: String) -> [String] {
    if file.hasPrefix("Sources/TreeRingLogging/") { return ["import Logging", "import TreeRingLogging"] }
    if file.hasPrefix("Sources/TreeRingFoundation/") {
      return ["import Foundation", "import TreeRing", "import TreeRingFoundation"]
    }
    return ["import TreeRing"]
  }
}
