import TestSupport
import Testing

@testable import TreeRing

@Suite struct ControlCommandTests {
  @Test(arguments: [
    ControlCommand.list, .levels, .enable("shop:*, -shop:db", forSeconds: nil), .enable("", forSeconds: 3),
    .add(" a  b ", forSeconds: 600), .disable(forSeconds: nil), .disable(forSeconds: 1),
    .setLevels("info,http=debug", forSeconds: 86_400), .add("a\nb", forSeconds: nil), .enable("\n", forSeconds: 1),
    .enable("a\\b\\n\\\\", forSeconds: nil), .enable("a\r\nb", forSeconds: nil),
    .setLevels("a\n=debug", forSeconds: nil),
    .enable("\u{301}a", forSeconds: nil),
  ])
  func survivesItsSpelling(command: ControlCommand) {
    #expect(ControlCommand(line: command.line) == command)
    #expect(!command.line.utf8.contains(UInt8(ascii: "\n")), "the line ends where the command does")
  }

  @Test(arguments: [
    "", " ", "LIST", "list ", "list 1", "enable", "enable x", "enable 1", "enable -1 a", "enable 99999999999 a",
    "enable 9999999999999999999999 a", "disable", "disable 1 x", "disable x", "drop 0 a", "levels 1", "add 1",
    "enable 0 a\\", "enable 0 a\\x", "enable 0 a\nb",
  ])
  func nothingElseIsUnderstood(line: String) { #expect(ControlCommand(line: line) == nil) }

  /// What a process says about itself may hold anything, and stays in its column and its line.
  @Test func aColumnHoldsNoSeparators() {
    let line = ControlLine("channel", "a\tb\nc", "\u{1B}[2J", "ä")
    #expect(line.text == "channel\ta?b?c\t?[2J\tä\n")
    #expect(ControlLine(parsing: line.text.dropLast()) == line)
    #expect(line[1] == "?[2J" && line[3] == "" && line[-1] == "")
  }
}
