import Glibc
import TreeRing

/// fork(2), which Swift hides because little is safe in the child of a process with threads. Logging promises to be.
private let fork = unsafe unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)

/// A process that has logged forks while its threads log; parent and child go on logging.
///
///     LogStorm fork CHILDREN
///     LogStorm control-fork       both stay, to be asked through their control sockets
///     LogStorm changed            forks, stops and starts again after levels and channels were changed; each says what is on
///     LogStorm orphan             forks a child that never logs, and waits to be killed
///
/// Each child logs some records and ends without and with exit handlers in turn. The last one comes to be in an argument of a call.
enum Fork {
  /// 0 in the child, its number in the parent.
  static func child() -> pid_t { fork() }

  static func run() {
    for number in 0..<50 { log.info("parent \(number, "number")") }
    var children: [pid_t] = []
    for child in 0..<LogStorm.argument(2, default: 2) {
      // Left in the ring or on its way to the file when the child comes to be: it must not write it a second time.
      for number in 0..<50 { log.info("parent before child \(child, "child"): \(number, "number")") }
      let pid = fork()
      if pid == 0 { childMain(child) }
      children.append(pid)
    }
    let inside = forkInside()
    if inside == 0 { childMain(children.count) }
    children.append(inside)
    for number in 0..<50 { log.info("parent afterwards \(number, "number")") }
    for child in children {
      var status: Int32 = 0
      while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
      precondition(status == 0, "child \(child) ended with \(status)")
    }
    LogStorm.say("\(getpid()) \(children.map { "\($0)" }.joined(separator: " "))")
  }

  /// Both processes come back from the call: each has its record, in its own file.
  private static func forkInside() -> pid_t {
    var child: pid_t = 0
    func forked() -> pid_t {
      child = fork()
      return child == 0 ? 0 : 1
    }
    log.info("inside \(getpid(), "before") \(forked(), "parent")")
    return child
  }

  static func runOrphan() {
    for number in 0..<50 { log.info("parent \(number, "number")") }
    LogSystem.flush()
    let child = fork()
    if child == 0 {
      // Until the test, which knows its number, has seen enough; a minute at most.
      sleep(60)
      _exit(0)
    }
    log.info("parent has a child")
    LogStorm.say("\(child)")
    pause()
  }

  /// A process and a forked child of it, both logging: the parent says both pids. The child ends with its parent, which ends by a signal or after five minutes.
  static func runControlled() {
    log.notice("parent")
    let parent = getpid()
    let child = fork()
    if child == 0 {
      log.notice("child")
      LogSystem.flush()
      LogStorm.say("\(getpid())")
      for _ in 0..<150_000 where getppid() == parent { usleep(2000) }
      exit(0)
    }
    LogStorm.say("\(parent)")
    for _ in 0..<150_000 { usleep(2000) }
  }

  /// The line of each is `who level-of-shop level-of-others channel-by-filter channel-by-hand`.
  static func runChanged() {
    LogSystem.setLevel(.debug, for: "shop")
    LogSystem.setLevel(.warning)
    DebugChannel.enable("changed:*")
    let (channel, byHand) = (DebugChannel("changed:filter"), DebugChannel("hand"))
    byHand.isEnabled = true
    func tell(_ who: String) {
      log.critical("\(who, "who")")
      let on = [channel, byHand].map { $0.isEnabled ? "on" : "off" }
      let levels = [LogSystem.level(of: "shop.checkout"), LogSystem.level(of: "other")].map(\.name)
      LogStorm.say(([who] + levels + on).joined(separator: " "))
    }
    tell("parent")
    let child = fork()
    if child == 0 {
      tell("child")
      exit(0)
    }
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
    LogSystem.stop()
    do { try LogSystem.start(.fromEnvironment()) } catch { LogStorm.say("\(error)") }
    tell("restarted")
    LogSystem.stop()
    tell("afterwards")
    var other = LogConfiguration.fromEnvironment()
    other.level = .error
    other.debug = "hand"
    LogSystem.stop()
    do { try LogSystem.start(other) } catch { LogStorm.say("\(error)") }
    tell("other")
  }

  private static func childMain(_ child: Int) -> Never {
    for number in 0..<50 { log.info("child \(child, "child"): \(number, "number")") }
    if child % 2 == 0 {
      LogSystem.flush()
      _exit(0)
    }
    exit(0)
  }
}
