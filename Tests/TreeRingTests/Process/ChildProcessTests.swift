import Glibc
import TestSupport
import Testing

/// The limits of what tests wait for: a program that hangs is killed, and its test fails with a line that names it.
@Suite struct ChildProcessTests {
  @Test func whatNeverEndsIsKilledAndNamed() throws {
    let limit = Duration.milliseconds(100)
    let child = try ChildProcess("/bin/sleep", ["600"])
    withKnownIssue {
      #expect(child.wait(within: limit) == .signal(SIGKILL))
    } matching: { issue in
      issue.comments.contains { "\($0)".contains("/bin/sleep 600 has not ended within 0.1 seconds, and was killed") }
    }
    let silent = try ChildProcess("/bin/sleep", ["600"])
    withKnownIssue { #expect(silent.readLine(within: limit) == nil) }
    #expect(silent.wait() == .signal(SIGKILL))
    let talker = try ChildProcess("/bin/sh", ["-c", "printf 'one\\ntwo\\n'; exec sleep 600"])
    #expect(talker.readLine() == "one")
    withKnownIssue { #expect(talker.readAll(within: limit) == "two\n") }
    #expect(talker.wait() == .signal(SIGKILL))
  }

  @Test func linesAndTheRestAreWholeHoweverTheyCome() throws {
    let child = try ChildProcess("/bin/sh", ["-c", "printf 'one\\ntw'; sleep 0.05; printf 'o\\n\\nthree\\nrest'"])
    #expect(child.readLine() == "one" && child.readLine() == "two" && child.readLine() == "")
    #expect(child.readAll() == "three\nrest")
    #expect(child.readLine() == nil && child.wait() == .exit(0))
    let end = try ChildProcess("/bin/sh", ["-c", "printf 'no end'; exit 3"])
    #expect(end.readLine() == "no end" && end.readLine() == nil && end.wait() == .exit(3))
  }
}
