import ArgumentParser

/// `treering`: the operator's command.
@main
struct TreeRingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "treering",
    abstract: "Ship, supervise, recover and check logs that survive the process.",
    discussion: """
      Exit codes: 0 done, 1 the thing checked or asked for failed, 64 wrong usage, 78 configuration error.
      Ring files live in $TREERING_DIR, or $RUNTIME_DIRECTORY/treering, $XDG_RUNTIME_DIR/treering, /dev/shm/treering-<uid>.
      """,
    version: "0.1.0",
    subcommands: [
      Ship.self, Check.self, Supervise.self, Rings.self, Tail.self, Recover.self, Debug.self, Verify.self,
      ExecWorker.self,
    ])
}
