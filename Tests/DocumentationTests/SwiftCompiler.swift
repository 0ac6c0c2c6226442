import Foundation
import TestSupport
import TreeRing

/// The compiler of the toolchain that built this test, with the modules that were built beside it.
struct SwiftCompiler: Sendable {
  /// A message of the compiler.
  struct Message: Equatable, CustomStringConvertible {
    let file: String
    let line: Int
    /// `error`, `warning`, `note`.
    let kind: String
    let text: String

    var description: String { "\(file):\(line): \(kind): \(text)" }
  }

  /// What a run had to say.
  struct Outcome {
    let isSuccess: Bool
    let output: String
    let messages: [Message]

    var errors: [Message] { messages.filter { $0.kind == "error" } }
  }

  /// There is no compiler, or no module to compile with.
  struct NotThere: Error { let path: String }

  private let scratch: TemporaryDirectory
  private let toolchain: String

  #if arch(arm64)
    private static let target = "aarch64-unknown-linux-gnu"
  #else
    private static let target = "x86_64-unknown-linux-gnu"
  #endif

  /// Compiles the module `Shop` first, which what is compiled later may import.
  static let withShop = Result { try SwiftCompiler() }

  private init() throws {
    scratch = try TemporaryDirectory()
    toolchain = try Self.findToolchain()
    let outcome = try run(
      ["-emit-module", "-module-name", "Shop", "-emit-module-path", scratch.file("Shop.swiftmodule")]
        + [Documentation.directory + "/Prelude/Shop.swift"])
    guard outcome.isSuccess else { throw ShopIsBroken(output: outcome.output) }
  }

  /// The module that snippets take for granted does not compile.
  struct ShopIsBroken: Error { let output: String }

  /// The directory that has `bin/swiftc`: the one whose standard library runs this test.
  private static func findToolchain() throws -> String {
    let ending = "/lib/swift/linux/libswiftCore.so"
    let library = LoadedFiles.paths(of: "self").first { $0.hasSuffix(ending) }
    guard let library else { throw NotThere(path: "*" + ending) }
    let toolchain = String(library.dropLast(ending.count))
    guard FileManager.default.isExecutableFile(atPath: toolchain + "/bin/swiftc") else {
      throw NotThere(path: toolchain + "/bin/swiftc")
    }
    return toolchain
  }

  /// Compiles a snippet, with every check that a build makes, and makes nothing of it.
  func compile(_ snippet: Snippet) throws -> Outcome {
    let file = scratch.file("Snippet-\(UUID().uuidString).swift")
    try snippet.source.write(toFile: file, atomically: false, encoding: .utf8)
    var options: [String] = []
    if snippet.isManifest {
      options = ["-I", toolchain + "/lib/swift/pm/ManifestAPI", "-package-description-version", "6.3.0"]
    } else if snippet.hasMain {
      options = ["-parse-as-library"]
    }
    return try compile(file: file, options)
  }

  /// Compiles a file to nothing.
  func compile(file: String, _ options: [String] = []) throws -> Outcome {
    try run(["-emit-sil", "-o", "/dev/null", "-warnings-as-errors"] + options + [file])
  }

  /// What DocC says of a catalog: links that lead nowhere, for instance.
  func convert(catalogOf module: String) throws -> Outcome {
    let graphs = scratch.file("graphs-" + module)
    try FileManager.default.createDirectory(atPath: graphs, withIntermediateDirectories: false)
    let extraction = try run(
      "swift-symbolgraph-extract",
      try modules() + ["-module-name", module, "-target", Self.target, "-output-dir", graphs])
    guard extraction.isSuccess else { return extraction }
    let catalog = Documentation.root + "/Sources/\(module)/\(module).docc"
    return try run(
      "docc",
      [
        "convert", catalog, "--additional-symbol-graph-dir", graphs, "--output-path", scratch.file("docs-" + module),
        "--fallback-bundle-identifier", module, "--fallback-display-name", module,
      ])
  }

  private func run(_ arguments: [String]) throws -> Outcome {
    let options = ["-swift-version", "6", "-package-name", "shop", "-diagnostic-style=llvm"]
    return try run("swiftc", try options + modules() + arguments)
  }

  /// Where the modules are that were built beside this test.
  private func modules() throws -> [String] {
    let built = BuiltProducts.directory
    let map = built + "/CTreeRing.build/module.modulemap"
    guard FileManager.default.fileExists(atPath: map) else { throw NotThere(path: map) }
    return [
      "-module-cache-path", built + "/DocumentationModuleCache", "-I", built + "/Modules", "-I", scratch.path, "-Xcc",
      "-fmodule-map-file=" + map,
    ]
  }

  private func run(_ tool: String, _ arguments: [String]) throws -> Outcome {
    let errors = scratch.file("errors-" + UUID().uuidString)
    let process = try ChildProcess(toolchain + "/bin/" + tool, arguments, environment: [:], errors: errors)
    // On two cold cores that compile thirty examples at once.
    let output = process.readAll(within: .seconds(600))
    let isSuccess = process.wait() == .exit(0)
    let said = output + process.errors
    return Outcome(isSuccess: isSuccess, output: said, messages: Self.messages(in: said))
  }

  /// `file:line:column: kind: text`
  private static func messages(in output: String) -> [Message] {
    output.split(separator: "\n").compactMap { line in
      let parts = line.split(separator: ":", maxSplits: 4, omittingEmptySubsequences: false)
      guard parts.count == 5, let number = Int(parts[1]), Int(parts[2]) != nil else { return nil }
      return Message(
        file: String(parts[0]), line: number, kind: String(parts[3].dropFirst()), text: String(parts[4].dropFirst()))
    }
  }
}
