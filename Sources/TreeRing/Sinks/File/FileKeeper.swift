import CTreeRing
import Glibc
import Synchronization

/// The thread that sees to files put aside, one for the process. It yields to everything else, lives only while there is something to do, and is never
/// waited for: what a process leaves unfinished, the next one that opens the same log takes up.
final class FileKeeper: Sendable {
  static let shared = FileKeeper()

  private struct State {
    var chores: [FileChore] = []
    /// The process whose thread works; a forked child has none, whatever its parent had.
    var worker: pid_t = 0
    var hasComplained = false
  }

  private let state = Mutex(State())

  /// Has a log's files looked at soon. Cost: a lock, and a thread when none works.
  func add(_ chore: FileChore) {
    let startsWorker = state.withLock { state in
      if state.worker != getpid() { state.chores = [] }
      if !state.chores.contains(where: { $0.path == chore.path }) { state.chores.append(chore) }
      defer { state.worker = getpid() }
      return state.worker != getpid()
    }
    if startsWorker, !startThread() { state.withLock { $0.worker = 0 } }
  }

  /// Whether there is nothing to do.
  var isIdle: Bool { state.withLock { $0.worker != getpid() } }

  /// False when there is no thread to be had: the files wait for the next time.
  private func startThread() -> Bool {
    guard let thread = try? OwnThread.start("treering-files", { self.work() }) else { return false }
    pthread_detach(thread)
    return true
  }

  private func work() {
    tr_yield_to_others()
    tr_chore_begin()
    defer { tr_chore_end() }
    while let chore = next() {
      do { try chore.run(Syscalls.now(CLOCK_REALTIME)) { tr_chore_pause() } } catch {
        complain("cannot see to the files put aside of \(chore.path): \(error); they stay as they are")
      }
    }
  }

  private func next() -> FileChore? {
    state.withLock { state in
      if state.chores.isEmpty { state.worker = 0 }
      return state.chores.isEmpty ? nil : state.chores.removeFirst()
    }
  }

  private func complain(_ line: String) {
    let isFirst = state.withLock { state in
      defer { state.hasComplained = true }
      return !state.hasComplained
    }
    if isFirst { Syscalls.complain(line) }
  }
}
