import ArgumentParser
import LogShipper

/// `treering verify`: the proof.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prove that an archive is complete: nothing lost, nothing doubled.",
    discussion: """
      The last line is `emitted E delivered D dropped X lost L duplicated U open O`. Exit 0 needs lost, duplicated and open to be 0: a ring is open \
      while its closing record is missing, because its process lives or its end is cut. Files without any ring prove nothing: exit 1, but for --live.
      """)

  @Argument(help: "NDJSON files, in any order.")
  var files: [String]

  @Flag(help: "Allow open rings: the processes still run.")
  var live = false

  @Flag(help: "Print the account as JSON.")
  var json = false

  func run() throws {
    let code = Verification.run(paths: files, live: live, json: json, print: Console.print)
    if code != 0 { throw ExitCode(code) }
  }
}
