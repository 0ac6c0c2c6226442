import Glibc
import TreeRing

/// A program that logs something, then does nothing for a while.
///
///     LogStorm idle MILLISECONDS [FILE]
///
/// With a file it says `idle soon`, and begins when the file has come to be, for which it looks all the time; without one it waits for half a second. Says `idle begins` and `idle ends`.
enum Idle {
  static func run() {
    // Read before: what lies between the two lines is a sleep and nothing else.
    let microseconds = UInt32(LogStorm.argument(2, default: 2000)) * 1000
    let ends = "idle ends"
    log.info("before")
    LogSystem.flush()
    // The writer naps a few times before it parks.
    if let file = LogStorm.argument(3) {
      LogStorm.say("idle soon")
      while unsafe access(file, F_OK) != 0 && getppid() != 1 { usleep(2000) }
    } else {
      usleep(500_000)
    }
    LogStorm.say("idle begins")
    usleep(microseconds)
    LogStorm.say(ends)
    log.info("after")
  }
}
