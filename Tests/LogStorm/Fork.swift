import Glibc
import TreeRing

/// fork(2), which Swift hides because little is safe in the child of a process with threads. Logging promises to be.
private let fork = unsafe unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)

/// A process that has logged forks while its threads log; parent and child go on logging.
///
///     LogStorm fork CHILDREN
///
/// Each child logs some records and ends without and with exit handlers in turn.
enum Fork {
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
    for number in 0..<50 { log.info("parent afterwards \(number, "number")") }
    for child in children {
      var status: Int32 = 0
      while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
      precondition(status == 0, "child \(child) ended with \(status)")
    }
    LogStorm.say("\(getpid()) \(children.map { "\($0)" }.joined(separator: " "))")
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
