import Glibc
import TreeRing

/// How long a record takes from the call of a program that has been silent to the pipe that its log goes to.
///
///     LogStorm wake TRIALS [SHORTEST LONGEST]     the pause before each trial is random between the two, in microseconds
///     LogStorm wake-external TRIALS [SHORTEST LONGEST]     with a collector, on a thread here, in the place of the writer
///
/// After each trial the same way is gone without a logger: a byte through a pipe to a thread that sleeps in `read`, and from there through another pipe back.
/// What that takes is the machine's, and what the kernel says that the threads were ready to run and did not (schedstat, proc(5)) is its scheduler's.
///
/// Prints, in microseconds: `median N p99 N max N bare-median N bare-p99 N bare-max N unexplained-max N late N`. Unexplained is a trial's time without the waits for
/// a processor; late are the trials whose unexplained time is above one millisecond. Exits with 1 when a record does not come within two seconds.
enum Wake {
  private static let limitMilliseconds: Int32 = 2000

  /// One way there and back.
  private struct Times {
    var all: [Int] = []

    mutating func add(_ nanoseconds: UInt64) { all.append(Int(nanoseconds / 1000)) }

    func at(_ percent: Int) -> Int { all.sorted()[min(all.count * percent / 100, all.count - 1)] }
  }

  static func runExternal() {
    unsafe setenv("TREERING_WRITER", "external", 1)
    let sink = Pipe()
    measure(sink) { collect(into: sink.input) }
  }

  static func run() {
    let sink = Pipe()
    dup2(sink.input, STDERR_FILENO)
    unsafe setenv("TREERING_SINK", "stderr:", 1)
    measure(sink) {}
  }

  /// A collector as the shipper has it, but for its patience: a wake-up that is lost shows.
  private static func collect(into descriptor: Int32) {
    do {
      let files = try RingDirectory.files(in: Syscalls.environment("TREERING_DIR") ?? RingDirectory.standard())
      let collector = try RingCollector(path: files.first ?? "no ring file") { _ in [StreamSink(descriptor: descriptor)]
      }
      _ = LogStorm.start(0) { [collector = Handed(collector)] _ in
        let bells = CollectorBells()
        var naps = 0
        while true {
          naps = collector.value.step() == .idle ? naps + 1 : 0
          if naps <= 8 {
            bells.nap(nanoseconds: 500_000)
          } else {
            bells.sleep([collector.value], nanoseconds: 10_000_000_000)
          }
        }
      }
    } catch {
      LogStorm.say("\(error)")
      exit(1)
    }
  }

  private struct Handed<Value>: @unchecked Sendable {  // from one thread to another, once
    let value: Value
    init(_ value: Value) { self.value = value }
  }

  /// - Parameter ready: called when the program has logged for the first time.
  private static func measure(_ sink: Pipe, _ ready: () -> Void) {
    let trials = LogStorm.argument(2, default: 500)
    let pauses = UInt32(LogStorm.argument(3, default: 0))...UInt32(LogStorm.argument(4, default: 30_000))
    let echo = Echo()
    var (records, bare, unexplained) = (Times(), Times(), Times())
    _ = through(sink) {
      log.info("before")
      ready()
    }
    let waits = Waits()
    for trial in 0..<trials {
      usleep(.random(in: pauses))
      let before = waits.now
      let time = through(sink) { log.info("wake \(trial, "number")") }
      let waited = waits.now - before
      records.add(time)
      unexplained.add(time - min(waited, time))
      usleep(.random(in: pauses))
      bare.add(through(echo.back) { echo.there.send() })
    }
    LogStorm.say(
      "median \(records.at(50)) p99 \(records.at(99)) max \(records.at(100)) bare-median \(bare.at(50)) "
        + "bare-p99 \(bare.at(99)) bare-max \(bare.at(100)) unexplained-max \(unexplained.at(100)) "
        + "late \(unexplained.all.count { $0 > 1000 })")
  }

  /// Nanoseconds from `send` until something has come out of the pipe.
  private static func through(_ pipe: Pipe, _ send: () -> Void) -> UInt64 {
    let begin = Syscalls.now(CLOCK_MONOTONIC)
    send()
    guard pipe.receive(withinMilliseconds: limitMilliseconds) else {
      LogStorm.say("nothing has come within \(limitMilliseconds) ms: a wake-up is lost")
      exit(1)
    }
    return Syscalls.now(CLOCK_MONOTONIC) - begin
  }

  /// The two ends of a pipe(2).
  private struct Pipe {
    let output: Int32
    let input: Int32

    init() {
      var ends: [Int32] = [-1, -1]
      precondition(unsafe pipe(&ends) == 0, "no pipe: error \(errno)")
      (output, input) = (ends[0], ends[1])
    }

    func send() { unsafe _ = write(input, "x", 1) }

    /// Takes what is there, or comes. False when nothing does.
    func receive(withinMilliseconds limit: Int32) -> Bool {
      var poll = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard unsafe Glibc.poll(&poll, 1, limit) > 0 else { return false }
      var bytes = [UInt8](repeating: 0, count: 4096)
      return unsafe read(output, &bytes, bytes.count) > 0
    }
  }

  /// A thread that sends back what it gets.
  private struct Echo {
    let there = Pipe()
    let back = Pipe()

    init() {
      let (there, back) = (self.there, self.back)
      _ = LogStorm.start(0) { _ in while there.receive(withinMilliseconds: -1) { back.send() } }
    }
  }

  /// How long the program's threads have been ready to run without running, since they began.
  private struct Waits {
    private let paths = ((try? Syscalls.list("/proc/self/task")) ?? []).map { "/proc/self/task/\($0)/schedstat" }

    var now: UInt64 {
      paths.reduce(0) { sum, path in
        let fields = String(decoding: Syscalls.contents(of: path, limit: 256) ?? [], as: UTF8.self).split(
          separator: " ")
        return sum + (fields.count > 1 ? UInt64(fields[1]) ?? 0 : 0)
      }
    }
  }
}
