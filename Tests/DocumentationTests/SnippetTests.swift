import Foundation
import TestSupport
import Testing

/// Every Swift example of the README, of the articles and of the comments of public declarations compiles.
@Suite struct SnippetTests {
  private static let texts = Result { try Documentation.blocks(of: Documentation.texts) }
  private static let comments = Result { try Documentation.blocks(of: Documentation.sources) }

  /// Of the texts first: they have the longer ones.
  static let snippets: [Snippet] = [texts, comments].flatMap { (try? $0.get()) ?? [] }.flatMap(Snippet.snippets)

  @Test(arguments: snippets)
  func compiles(_ snippet: Snippet) throws {
    if let file = snippet.shownFile {
      let text = try String(contentsOfFile: Documentation.directory + "/" + file, encoding: .utf8)
      let isSame = snippet.block.lines.dropFirst().joined(separator: "\n") + "\n" == text
      return #expect(isSame, "the article and \(file) differ")
    }
    let outcome = try SwiftCompiler.withShop.get().compile(snippet)
    let isSuccess = outcome.isSuccess
    #expect(isSuccess, Comment(rawValue: outcome.output))
  }

  /// A search that finds nothing proves nothing.
  @Test func thereAreExamples() throws {
    let texts = try Self.texts.get().flatMap(Snippet.snippets)
    let comments = try Self.comments.get().flatMap(Snippet.snippets)
    #expect(texts.count >= 30 && comments.count >= 15, "\(texts.count) in texts, \(comments.count) in comments")
    let files = Set(texts.map(\.block.file))
    let catalogs = ["TreeRing", "TreeRingFoundation", "TreeRingLogging"].map { "Sources/\($0)/\($0).docc/\($0).md" }
    for file in ["README.md"] + catalogs {
      #expect(files.contains(file), "no Swift in \(file)")
    }
  }

  /// So that no example escapes by a slip behind its fence: what is not to be compiled says what it is instead.
  @Test func everyFenceSaysWhatItHolds() throws {
    let known: Set = ["swift", "sh", "json", "yaml", "text"]
    let unknown = try (Self.texts.get() + Self.comments.get()).joined().filter { !known.contains($0.language) }
    #expect(unknown.isEmpty, "\(unknown.map { "\($0.file):\($0.line - 1): \"\($0.language)\"" })")
  }

  // MARK: the search and the compiler, tried on texts that are known

  private static let article = """
    # Title

    ```swift
    import TreeRing
    let log = Logger("a")
    ```

    ```sh
    ls
    ```
    text
    ```swift
    log.info("no import of its own")
    log.inform("no such function")
    ```
    """

  @Test func findsBlocksAndWhereTheyStand() {
    let blocks = CodeBlock.blocks(in: Self.article, of: "a.md")
    #expect(blocks.map(\.line) == [4, 9, 13])
    #expect(blocks.map(\.language) == ["swift", "sh", "swift"])
    #expect(blocks[0].lines == ["import TreeRing", "let log = Logger(\"a\")"])
    let comment =
      "  /// ```swift\n  /// a()\n  ///   b()\n  /// ```\n  func c() {}\n  /// ```swift\n  func unclosed() {}\n"
    #expect(
      CodeBlock.blocks(in: comment, of: "a.swift") == [
        CodeBlock(file: "a.swift", line: 2, language: "swift", lines: ["a()", "  b()"])
      ])
  }

  @Test func aBlockWithoutImportsHasThoseBeforeIt() {
    let snippets = Snippet.snippets(of: CodeBlock.blocks(in: Self.article, of: "Sources/TreeRingLogging/a.md"))
    #expect(snippets.map(\.imports) == [["import Shop"], ["import Shop", "import TreeRing"]])
  }

  @Test func whatDoesNotCompileIsFound() throws {
    let snippets = Snippet.snippets(of: CodeBlock.blocks(in: Self.article, of: "a.md"))
    let compiler = try SwiftCompiler.withShop.get()
    #expect(try compiler.compile(snippets[0]).isSuccess)
    let broken = try compiler.compile(snippets[1])
    #expect(!broken.isSuccess)
    #expect(broken.errors.map { "\($0.file):\($0.line)" } == ["a.md:14"], "\(broken.output)")
  }
}
