import Foundation
import Testing

/// A fenced block of code in a Markdown text, or in a documentation comment.
struct CodeBlock: Sendable, Equatable, CustomTestStringConvertible {
  /// The file it stands in, from the package's root.
  let file: String
  /// The number of its first line of code, from 1.
  let line: Int
  /// What stands behind the fence: `swift`, `sh`, or nothing.
  let language: String
  /// The lines between the fences.
  var lines: [String] = []

  var testDescription: String { "\(file):\(line)" }

  /// The blocks of a text, in order.
  static func blocks(in text: String, of file: String) -> [CodeBlock] {
    let isComment = file.hasSuffix(".swift")
    var blocks: [CodeBlock] = []
    var open: CodeBlock?
    for (index, line) in text.components(separatedBy: "\n").enumerated() {
      guard let line = isComment ? comment(of: line) : line else {
        open = nil
        continue
      }
      if line.hasPrefix("```") {
        if let block = open { blocks.append(block) }
        open =
          open == nil ? CodeBlock(file: file, line: index + 2, language: String(line.dropFirst(3))) : nil
      } else {
        open?.lines.append(line)
      }
    }
    return blocks
  }

  /// What a documentation comment says in a line; nil when there is none.
  private static func comment(of line: String) -> String? {
    let line = line.drop { $0 == " " }
    guard line.hasPrefix("///") else { return nil }
    let text = line.dropFirst(3)
    return String(text.first == " " ? text.dropFirst() : text)
  }
}
