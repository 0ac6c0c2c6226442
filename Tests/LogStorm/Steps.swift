import Glibc
import Synchronization
import TreeRing

/// Logs in steps, and does nothing between them, so that a test can do something to the file meanwhile.
///
///     LogStorm steps FILE [RECORDS]
///
/// SIGHUP has it look at its file again, as a program does that handles this signal itself.
///
/// Says `step N` once the step's records have reached the sinks, and waits for `FILE.N`, or for `FILE.end`, to come to be.
enum Steps {
  private static let hangups = Atomic<Int>(0)

  static func run() {
    signal(SIGHUP) { _ in Steps.hangups.add(1, ordering: .relaxed) }
    let file = LogStorm.argument(2) ?? "/dev/null"
    var number = 0
    for step in 0... {
      for _ in 0..<LogStorm.argument(3, default: 100) {
        log.info("number \(number, "number") of step \(step, "step")")
        number += 1
      }
      LogSystem.flush()
      LogStorm.say("step \(step)")
      while unsafe access("\(file).\(step)", F_OK) != 0 {
        if unsafe access("\(file).end", F_OK) == 0 { return }
        // A test that has gone away takes its children with it.
        if getppid() == 1 { exit(1) }
        usleep(2000)
        if hangups.exchange(0, ordering: .relaxed) > 0 { LogSystem.reopen() }
      }
    }
  }
}
