import CTreeRing
import Glibc

/// Starting a worker by posix_spawn(3).
///
/// The child gets: standard input from /dev/null, output and errors as the supervisor's; descriptor 3 the listening
/// socket, 4 its lifeline, nothing above (accepted connections of other code in this process have no close-on-exec); no
/// blocked signal and default actions, whatever thread it is started from; and a process group of its own, so that a
/// Ctrl-C reaches the supervisor alone, which then stops the workers in its own way.
extension WorkerProcess {
  /// Blocks until the program has been executed or could not be. Fails with the errno.
  static func spawn(
    worker: Int, _ configuration: SupervisorConfiguration, listener: Int32?
  ) throws(SystemError) -> WorkerProcess {
    let ends = try DescriptorPair(nonBlocking: false)
    let lifeline = try Descriptor.duplicate(ends.second.number, from: firstFreeDescriptor)
    let start = SpawnCommand(worker: worker, configuration, listens: listener != nil)
    let pid: Int32
    if let listener {
      let listener = try Descriptor.duplicate(listener, from: firstFreeDescriptor)
      pid = try start.run(lifeline: lifeline.number, listener: listener.number)
    } else {
      pid = try start.run(lifeline: lifeline.number, listener: nil)
    }
    return WorkerProcess(worker: worker, pid: pid, end: try openEnd(of: pid), lifeline: ends.first)
  }

  /// Above everything that dup2 in the child writes to, so that no source is overwritten before its turn.
  private static var firstFreeDescriptor: Int32 { 10 }

  /// A process whose end cannot be seen must not run.
  private static func openEnd(of pid: Int32) throws(SystemError) -> Descriptor {
    let number = tr_pidfd_open(pid)
    guard number < 0 else { return Descriptor(number) }
    let error = SystemError("pidfd_open")
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
    throw error
  }
}

/// The arguments and the environment of one start.
private struct SpawnCommand {
  let file: String
  let arguments: [String]
  let environment: [String]

  init(worker: Int, _ configuration: SupervisorConfiguration, listens: Bool) {
    let program = [configuration.programName ?? configuration.program] + configuration.arguments
    // A launcher is told the program, since it cannot be told its name for itself too.
    let launched = configuration.launcher + [configuration.program] + configuration.arguments
    file = configuration.launcher.first ?? configuration.program
    arguments = configuration.launcher.isEmpty ? program : launched
    environment = WorkerEnvironment.lines(
      worker: worker, listens: listens, supervisor: getpid(), inherited: WorkerEnvironment.ofThisProcess,
      extra: configuration.environment)
  }

  func run(lifeline: Int32, listener: Int32?) throws(SystemError) -> Int32 {
    var pid: Int32 = 0
    let code = unsafe Self.withFileActions(lifeline: lifeline, listener: listener) { actions in
      unsafe Self.withAttributes { attributes in
        unsafe withCStrings(arguments) { arguments in
          unsafe withCStrings(environment) { environment in
            unsafe posix_spawnp(&pid, file, actions, attributes, arguments, environment)
          }
        }
      }
    }
    guard code == 0 else { throw SystemError("posix_spawn", code: code) }
    return pid
  }

  private static func withFileActions(
    lifeline: Int32, listener: Int32?, _ body: (UnsafePointer<posix_spawn_file_actions_t>) -> Int32
  ) -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    // Initialised here, destroyed here, and not seen by anybody after `body`. Adding fails for want of memory only.
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    if let listener {
      unsafe posix_spawn_file_actions_adddup2(&actions, listener, WorkerEnvironment.listenerDescriptor)
    } else {
      unsafe posix_spawn_file_actions_addclose(&actions, WorkerEnvironment.listenerDescriptor)
    }
    unsafe posix_spawn_file_actions_adddup2(&actions, lifeline, WorkerEnvironment.lifelineDescriptor)
    unsafe tr_spawn_closes_from(&actions, WorkerEnvironment.lifelineDescriptor + 1)
    return unsafe body(&actions)
  }

  private static func withAttributes(_ body: (UnsafePointer<posix_spawnattr_t>) -> Int32) -> Int32 {
    var attributes = posix_spawnattr_t()
    var none = sigset_t()
    var all = sigset_t()
    // As above: initialised, used and destroyed here.
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    return unsafe body(&attributes)
  }
}
