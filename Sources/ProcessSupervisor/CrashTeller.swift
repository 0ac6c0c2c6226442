import Glibc
import Synchronization
import TreeRing

private let log = Logger("supervisor")

/// Writes crash records, with the names of the functions that a dead worker was in.
///
/// Reading a program's symbols takes a large one some 100 ms, and the next worker must not wait for that: so it is done on a thread that lives as long as there is
/// something to tell. At most `limit` crashes wait; further ones are told at once, with addresses for names.
final class CrashTeller: Sendable {
  private struct State {
    var waiting: [(WorkerExit, CrashReport)] = []
    var thread: pthread_t?
    var isRunning = false
  }

  private let state = Mutex<State>(State())
  private static let limit = 16

  /// Writes the record, now or soon. Does not block, but for the end of a thread that has nothing more to do.
  func tell(_ exit: WorkerExit, _ report: CrashReport) {
    guard !report.frames.isEmpty else { return Self.write(exit, report, backtrace: []) }
    let isTaken = state.withLock { state in
      guard state.waiting.count < Self.limit else { return false }
      state.waiting.append((exit, report))
      return state.isRunning || start(&state)
    }
    if !isTaken { Self.write(exit, report, backtrace: report.addresses) }
  }

  /// Returns when everything is told. Blocking.
  func finish() {
    let thread = state.withLock { state in
      defer { state.thread = nil }
      return state.thread
    }
    if let thread { pthread_join(thread, nil) }
  }

  /// False when there can be no thread: then nothing waits.
  private func start(_ state: inout State) -> Bool {
    if let last = state.thread { pthread_join(last, nil) }
    state.thread = nil
    state.thread = try? OwnThread.start { self.run() }
    state.isRunning = state.thread != nil
    if !state.isRunning { state.waiting.removeLast() }
    return state.isRunning
  }

  private func run() {
    while let (exit, report) = next() { Self.write(exit, report, backtrace: report.backtrace()) }
  }

  private func next() -> (WorkerExit, CrashReport)? {
    state.withLock { state in
      if state.waiting.isEmpty {
        state.isRunning = false
        return nil
      }
      return state.waiting.removeFirst()
    }
  }

  private static func write(_ exit: WorkerExit, _ report: CrashReport, backtrace: [String]) {
    log.log(.critical, about: exit.pid, "worker crashed") {
      exit.describe(&$0)
      report.describe(&$0, backtrace: backtrace)
    }
  }
}

extension CrashReport {
  /// How many of the last debug lines a record carries, and how much of each: all of them would not fit.
  private static let lines = 40
  private static let longestLine = 500
  /// Bytes of a record for everything else: what a list's element has around it, and all other fields.
  private static let aroundElement = 8
  private static let others = 2048

  /// What is known beyond the way the process ended. The frames nearest to the crash and the newest lines are those that a reader needs, so where there is no room for all, they stay.
  func describe(_ fields: inout LogFields, backtrace: [String]) {
    if signal != nil {
      fields["crashed"] = LogTime(nanosecondsSince1970: Int64(clamping: time))
      fields["thread"] = threadName
      fields["thread.id"] = thread
      if faultAddress != 0 { fields["address"] = "0x" + String(faultAddress, radix: 16) }
    }
    let room = max(LogSystem.largestRecord - Self.others, 0)
    let frames = Self.first(of: backtrace, within: room * 3 / 4)
    if !frames.isEmpty { fields["backtrace"] = frames }
    let lines = lines(last: Self.lines).map { String($0.prefix(Self.longestLine)) }
    let last = Self.last(of: lines, within: room - Self.size(frames))
    if !last.isEmpty { fields["debug"] = last }
  }

  /// As many texts from the beginning as have room.
  static func first(of texts: [String], within bytes: Int) -> [String] {
    var left = bytes
    return Array(
      texts.prefix { text in
        left -= size([text])
        return left >= 0
      })
  }

  /// As many texts from the end as have room, in their order.
  static func last(of texts: [String], within bytes: Int) -> [String] {
    first(of: texts.reversed(), within: bytes).reversed()
  }

  private static func size(_ texts: [String]) -> Int { texts.reduce(0) { $0 + $1.utf8.count + aroundElement } }
}
