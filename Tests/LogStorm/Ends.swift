import Glibc
import Synchronization
import TreeRing

/// Logs some records, then ends in one of the ways a process or a thread can end.
///
///     LogStorm end WAY [RECORDS [DIRECTORY]]
///
/// Records before the end say `before N`; what is logged by handlers, destructors and children says who they are.
enum Ends {
  static func run() {
    for number in 0..<LogStorm.argument(3, default: 100) { log.info("before \(number, "number")") }
    guard let way = LogStorm.argument(2), let end = ways[way] else { preconditionFailure("no such way to end") }
    end()
  }

  private static let ways: [String: @Sendable () -> Void] = [
    "return": {}, "exit": { exit(3) }, "_exit": { _exit(3) }, "quick_exit": { quick_exit(3) }, "abort": { abort() },
    "exit on a thread": { exitOnAThread() },
    "fatalError": { fatalError("the end") }, "out of bounds": { readOutOfBounds() }, "overflow": { overflow() },
    "SIGSEGV": { touchNothing() }, "SIGTERM": { raiseSignal(SIGTERM) }, "SIGKILL": { raiseSignal(SIGKILL) },
    "out of memory": { fillMemory() }, "exec": { replaceProgram() }, "posix_spawn": { spawnChild() },
    "daemon": { becomeDaemon() }, "atexit": { logAtExit() },
    "destructor": { Destructor.isWanted.store(true, ordering: .relaxed) },
    "thread destructor": { logInThreadDestructors() }, "crash handler": { logInCrashHandler() },
    "chroot": { changeRoot() }, "stop": { LogSystem.stop() }, "threads' pthread_exit": { leaveThreads() },
    "main's pthread_exit": { leaveMain() },
  ]

  // MARK: exits

  private static func exitOnAThread() {
    let thread = LogStorm.start(0) { _ in
      log.info("thread exits")
      exit(3)
    }
    pthread_join(thread, nil)
  }

  /// Two handlers: one that was registered before logging began would run after the library's own; main is too late for that, a destructor is not.
  private static func logAtExit() {
    atexit { log.info("handler first") }
    atexit { log.info("handler second") }
  }

  // MARK: crashes

  private static func readOutOfBounds() {
    let numbers = Array(CommandLine.arguments.indices)
    print(numbers[numbers.count + LogStorm.argument(3, default: 1)])
  }

  private static func overflow() {
    print(Int.max - CommandLine.arguments.count + LogStorm.argument(3, default: 100))
  }

  private static func touchNothing() {
    let nothing = unsafe UnsafeMutablePointer<Int>(bitPattern: 8)
    unsafe nothing?.pointee = 1
  }

  private static func raiseSignal(_ signal: Int32) {
    _ = kill(getpid(), signal)
    pause()
  }

  private static func logInCrashHandler() {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { signal in log.critical("handler of \(signal, "signal")") }
    action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
    unsafe sigaction(SIGSEGV, &action, nil)
    touchNothing()
  }

  /// Until the kernel says no. Pages are touched, so they count.
  private static func fillMemory() {
    LogStorm.say("ready")
    for _ in 0..<4096 {
      let size = 1 << 20
      let memory = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)
      if unsafe memory == MAP_FAILED { break }
    }
  }

  // MARK: other programs and processes

  private static func arguments(_ list: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Void) {
    let pointers = unsafe list.map { unsafe strdup($0) } + [nil]
    unsafe body(pointers)
    for index in unsafe pointers.indices { unsafe free(pointers[index]) }
  }

  private static func replaceProgram() {
    unsafe arguments(["LogStorm", "end", "return", "7"]) { unsafe _ = execv("/proc/self/exe", $0) }
    preconditionFailure("cannot exec: \(errno)")
  }

  private static func spawnChild() {
    var child: pid_t = 0
    unsafe arguments(["LogStorm", "end", "return", "7"]) {
      let result = unsafe posix_spawn(&child, "/proc/self/exe", nil, nil, $0, environ)
      precondition(result == 0, "cannot spawn: \(result)")
    }
    for number in 0..<10 { log.info("meanwhile \(number, "number")") }
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
    precondition(status == 0, "the child ended with \(status)")
    log.info("afterwards")
  }

  /// As a daemon of the old school does it: fork, a session of its own, fork again. Both parents end as it is usual.
  private static func becomeDaemon() {
    if Fork.child() != 0 { exit(0) }
    setsid()
    log.info("between")
    if Fork.child() != 0 { _exit(0) }
    for number in 0..<20 { log.info("daemon \(number, "number")") }
  }

  // MARK: threads

  /// Destructors run in rounds while there are values. Those of threads that logged before, and of one that logs there for the first time.
  private static func logInThreadDestructors() {
    var key = pthread_key_t()
    unsafe pthread_key_create(&key) { value in Ends.destroy(Int(bitPattern: value)) }
    destructorKey.store(key, ordering: .relaxed)
    for number in 0..<10 {
      let thread = LogStorm.start(number) { number in
        unsafe pthread_setspecific(destructorKey.load(ordering: .relaxed), .init(bitPattern: 1))
        if number % 2 == 0 { log.info("thread \(number, "number")") }
      }
      pthread_join(thread, nil)
    }
  }

  private static func destroy(_ round: Int) {
    log.info("destructor, round \(round, "round")")
    if round < 3 { unsafe pthread_setspecific(destructorKey.load(ordering: .relaxed), .init(bitPattern: round + 1)) }
  }

  private static let destructorKey = Atomic<pthread_key_t>(0)

  /// Threads one after the other, each of which ends in the middle of its function.
  private static func leaveThreads() {
    for number in 0..<10 {
      let thread = LogStorm.start(number) { number in
        log.info("thread \(number, "number")")
        pthread_exit(nil)
      }
      pthread_join(thread, nil)
    }
  }

  /// The first thread leaves; the last one logs and ends the program.
  private static func leaveMain() {
    let main = pthread_self()
    _ = LogStorm.start(0) { _ in
      pthread_join(main, nil)
      log.info("last thread")
      exit(3)
    }
    pthread_exit(nil)
  }

  // MARK: another root

  private static func changeRoot() {
    let result = unsafe chroot(LogStorm.argument(4) ?? "/nowhere")
    unsafe precondition(result == 0 && chdir("/") == 0, "cannot change the root: \(errno)")
    for number in 0..<10 { log.info("inside \(number, "number")") }
    let thread = LogStorm.start(0) { _ in log.info("inside on a new thread") }
    pthread_join(thread, nil)
  }
}

/// A function that the dynamic loader calls after every exit handler, as it does with destructors of C libraries.
private enum Destructor {
  static let isWanted = Atomic<Bool>(false)
}

@used @section(".fini_array")
private let destructor: @convention(c) () -> Void = runDestructor

@c private func runDestructor() {
  if Destructor.isWanted.load(ordering: .relaxed) { log.info("destructor") }
}
