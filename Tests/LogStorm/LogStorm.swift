import Glibc
import TreeRing

let log = Logger("storm")
let debug = DebugChannel("storm:debug")

/// A program to be tested from outside: killed, interrupted, forked, stopped. It logs as the environment says.
///
///     LogStorm THREADS [RECORDS-PER-THREAD [PROGRESS-FILE]]     as fast as it can, until it is killed when no number is given
///     LogStorm MODE [ARGUMENTS]                                 see the file of that name
@main
enum LogStorm {
  static let modes: [String: @Sendable () -> Void] = [
    "aside-cost": AsideCost.run, "aside-signals": Scopes.runInSignals, "changed": Fork.runChanged,
    "collect": Collect.run, "control": Control.run,
    "crash": Crash.run, "control-fork": Fork.runControlled, "deep": Nested.runDeep,
    "fork": Fork.run, "levels": Levels.run, "loop": Loop.run, "nested": Nested.run, "paced": Paced.run,
    "orphan": Fork.runOrphan, "recordings": Scopes.runRecordings, "scopes": Scopes.run, "sites": Sites.run,
    "signals": Signals.run, "steps": Steps.run, "stop": Stop.run, "stops": Stop.runMany, "stored": Stored.run,
    "threads": Threads.run,
    "end": Ends.run, "large": Large.run, "crowd": Crowd.run, "soak": Soak.run, "idle": Idle.run, "wake": Wake.run,
    "wake-external": Wake.runExternal,
  ]

  static func main() {
    // A soak is told how long it takes, and uses less.
    limitProcessorTime(seconds: UInt(argument(1) == "soak" ? max(120, argument(2, default: 0)) : 120))
    if CommandLine.arguments.count > 1, let mode = modes[CommandLine.arguments[1]] { mode() } else { Storm.run() }
  }

  /// Nothing that a test forgets runs for ever.
  private static func limitProcessorTime(seconds: UInt) {
    var limit = rlimit(rlim_cur: seconds, rlim_max: seconds)
    unsafe _ = setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &limit)
  }

  static func argument(_ index: Int, default value: Int) -> Int {
    CommandLine.arguments.count > index ? Int(CommandLine.arguments[index]) ?? value : value
  }

  static func argument(_ index: Int) -> String? {
    CommandLine.arguments.count > index ? CommandLine.arguments[index] : nil
  }

  /// Tells the test, which waits for this line: nothing waits in a buffer, to be printed by a forked child as well.
  static func say(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { unsafe _ = write(STDOUT_FILENO, $0.baseAddress, $0.count) }
  }

  /// Starts a thread that calls `body` with `number`.
  static func start(_ number: Int, _ body: @escaping @Sendable (Int) -> Void) -> pthread_t {
    let work = unsafe Unmanaged.passRetained(Work(number: number, body: body)).toOpaque()
    var thread = pthread_t()
    let result = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let work = unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
        work.body(work.number)
        return nil
      }, work)
    precondition(result == 0, "cannot start a thread: error \(result)")
    return thread
  }

  private final class Work: Sendable {
    let number: Int
    let body: @Sendable (Int) -> Void

    init(number: Int, body: @escaping @Sendable (Int) -> Void) {
      self.number = number
      self.body = body
    }
  }
}
