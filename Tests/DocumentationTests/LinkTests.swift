import TestSupport
import Testing

/// Links between articles, and from them to declarations, lead somewhere: DocC itself is asked.
@Suite struct LinkTests {
  @Test(arguments: ["TreeRing", "TreeRingFoundation", "TreeRingLogging"])
  func leadSomewhere(_ module: String) throws {
    let outcome = try SwiftCompiler.withShop.get().convert(catalogOf: module)
    let isSuccess = outcome.isSuccess
    #expect(isSuccess, Comment(rawValue: outcome.output))
    // Parameters that need no words have none: DocC warns of that, too.
    let broken = outcome.output.split(separator: "\n").filter {
      $0.hasPrefix("warning: ") && !$0.contains("missing documentation")
    }
    #expect(broken.isEmpty)
  }
}
