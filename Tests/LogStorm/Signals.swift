import Glibc
import Synchronization
import TreeRing

/// A timer's signal interrupts a thread that logs without a pause, every few dozen microseconds, and its handler logs, too.
///
///     LogStorm signals MILLISECONDS
///
/// Prints how many calls the loop made, how many the handler made, and how many of the handler's found the loop's call under way.
enum Signals {
  private static let handled = Atomic<Int>(0)
  private static let interrupted = Atomic<Int>(0)
  private static let isInCall = Atomic<Bool>(false)

  /// Signals that have to find a call under way.
  private static let enough = 20

  static func run() {
    log.notice("begin")
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in Signals.handle() }
    action.sa_flags = SA_RESTART
    unsafe sigaction(SIGALRM, &action, nil)
    setTimer(microseconds: 50)
    var number = 0
    let end = now() + LogStorm.argument(2, default: 200) * 1_000_000
    // On a machine that is busy with something else it may take longer until this has come to pass often enough.
    while now() < end || interrupted.load(ordering: .relaxed) < enough && now() < end + 20_000_000_000 {
      isInCall.store(true, ordering: .relaxed)
      log.info("loop \(number, "loop.number") \(halfway(number), "loop.half") end") { $0["loop.text"] = "whole" }
      isInCall.store(false, ordering: .relaxed)
      number += 1
    }
    setTimer(microseconds: 0)
    let (signals, during) = (handled.load(ordering: .relaxed), interrupted.load(ordering: .relaxed))
    LogStorm.say("\(number) \(signals) \(during)")
  }

  private static func handle() {
    let number = handled.add(1, ordering: .relaxed).oldValue
    if isInCall.load(ordering: .relaxed) { interrupted.add(1, ordering: .relaxed) }
    log.warning("signal \(number, "signal.number")") { $0["signal.text"] = "whole, too" }
  }

  /// A value that takes a while, so that signals find a record half written.
  private static func halfway(_ number: Int) -> Int {
    var result = number
    for step in 0..<200 { result = (result &* 31) ^ step }
    return result == 0 ? number : number
  }

  private static func now() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  private static func setTimer(microseconds: Int) {
    let interval = timeval(tv_sec: 0, tv_usec: microseconds)
    var timer = itimerval(it_interval: interval, it_value: interval)
    unsafe setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }
}
