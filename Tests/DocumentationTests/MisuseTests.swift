import Foundation
import TestSupport
import Testing

/// What the compiler says of calls that cannot be: the right thing, at the right line, and no more.
@Suite struct MisuseTests {
  @Test func eachMistakeIsToldInWordsThatHelp() throws {
    let file = Documentation.directory + "/Misuse/Habits.swift"
    let lines = try String(contentsOfFile: file, encoding: .utf8).components(separatedBy: "\n")
    let outcome = try SwiftCompiler.withShop.get().compile(file: file)
    let errors = Dictionary(grouping: outcome.errors, by: \.line)
    var mistakes = 0
    for (index, line) in lines.enumerated() {
      guard let mark = line.range(of: "// error: ") else { continue }
      mistakes += 1
      // The mistake is on the line below.
      let said = errors[index + 2, default: []].map(\.text)
      #expect(said.count == 1 && said[0].contains(line[mark.upperBound...]), "\(line)\n\(said)")
    }
    #expect(mistakes >= 25)
    #expect(outcome.errors.count == mistakes)
  }

  /// The same calls as they should be: an error of the file above is not for a reason of its own.
  @Test func theRightSpellingsCompile() throws {
    let outcome = try SwiftCompiler.withShop.get().compile(
      file: Documentation.directory + "/Misuse/RightSpellings.swift")
    let isSuccess = outcome.isSuccess
    #expect(isSuccess, Comment(rawValue: outcome.output))
  }
}
