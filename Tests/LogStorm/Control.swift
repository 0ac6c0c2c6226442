import Glibc
import TreeRing

/// Says `ready`, then calls its channel and its logger every 2 ms, and ends.
///
///     LogStorm control [MILLISECONDS]     so long, 10 s by default
enum Control {
  private static let channel = DebugChannel("control:tick", "one line every 2 ms")
  private static let logger = Logger("control.log")

  /// Has a channel that no file of the program tells of.
  private struct Keeper {
    let channel: DebugChannel
    @inline(never) func call() { channel("kept") }
  }

  @inline(never) private static func keeper() -> Keeper { Keeper(channel: DebugChannel("control:kept")) }

  static func run() {
    let calls = LogStorm.argument(2, default: 10_000) / 2
    logger.notice("begins")
    keeper().call()
    let message: LogMessage = "stored"
    DebugChannel("control:stored")(message)
    LogSystem.flush()
    LogStorm.say("ready")
    for number in 0..<calls {
      channel("tick \(number, "number")")
      logger.debug("tock \(number, "number")")
      usleep(2000)
    }
  }
}
