import Glibc
import Synchronization

/// A way into the supervisor's loop for other threads and for signal handlers: one byte a request, read by poll(2).
///
/// Never blocks: a full pipe holds hundreds of requests that have not been read, and one more says nothing new.
final class CommandPipe: Sendable {
  enum Command: UInt8 {
    case stop = 0x53
    case reload = 0x52
  }

  private let ends: DescriptorPair

  init() throws(SystemError) { ends = try DescriptorPair(nonBlocking: true) }

  /// Polls readable when a command waits.
  var readerNumber: Int32 { ends.first.number }
  var writerNumber: Int32 { ends.second.number }

  func send(_ command: Command) { Self.send(command, to: ends.second.number) }

  /// Async-signal-safe: one system call.
  static func send(_ command: Command, to descriptor: Int32) {
    var byte = command.rawValue
    // One byte is read from a variable of one byte.
    _ = unsafe Glibc.send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL))
  }

  /// The commands that wait, oldest first.
  func receive() -> [Command] {
    var bytes = [UInt8](repeating: 0, count: 64)
    // The kernel writes at most the array's size.
    let count = unsafe recv(ends.first.number, &bytes, bytes.count, 0)
    return bytes.prefix(max(0, count)).compactMap(Command.init(rawValue:))
  }
}

/// Sends SIGTERM and SIGINT as stop, SIGHUP as reload, down a command pipe while it lives; the former actions come back
/// with its end.
///
/// Handlers, not a signalfd: a signalfd sees a signal only if *every* thread of the process blocks it, and threads that
/// were started before (a log writer, an event loop) do not; the signal would then end the supervisor without a word. A
/// handler works whichever thread takes the signal. For the case that all of them block it, `run()`'s thread unblocks
/// it.
struct SignalRelay: ~Copyable {
  private static let signals = [SIGTERM, SIGINT, SIGHUP]

  /// The pipe's writing end, for the handler; -1: nobody listens. Relaxed is enough: `sigaction` orders it.
  private static let target = Atomic<Int32>(-1)

  private let formerActions: [sigaction]
  private let formerMask: sigset_t

  /// Installs the handlers for the process and unblocks the signals for this thread.
  ///
  /// - Precondition: no other relay lives in this process.
  init(to pipe: CommandPipe) {
    let former = Self.target.exchange(pipe.writerNumber, ordering: .relaxed)
    precondition(former == -1, "two supervisors of one process handle signals: give one `handlesSignals: false`")
    formerActions = Self.signals.map { signal in
      var action = sigaction()
      var former = sigaction()
      unsafe action.__sigaction_handler.sa_handler = signal == SIGHUP ? Self.reload : Self.stop
      action.sa_flags = SA_RESTART
      unsafe sigaction(signal, &action, &former)
      return former
    }
    formerMask = Self.unblock()
  }

  deinit {
    var mask = formerMask
    unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    for (signal, var action) in zip(Self.signals, formerActions) { unsafe sigaction(signal, &action, nil) }
    Self.target.store(-1, ordering: .relaxed)
  }

  private static let stop: @convention(c) (Int32) -> Void = { _ in relay(.stop) }
  private static let reload: @convention(c) (Int32) -> Void = { _ in relay(.reload) }

  /// In a signal handler: no allocation, no lock; errno is the interrupted code's.
  private static func relay(_ command: CommandPipe.Command) {
    let saved = errno
    CommandPipe.send(command, to: target.load(ordering: .relaxed))
    errno = saved
  }

  private static func unblock() -> sigset_t {
    var set = sigset_t()
    var former = sigset_t()
    unsafe sigemptyset(&set)
    for signal in signals { unsafe sigaddset(&set, signal) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, &former)
    return former
  }
}
