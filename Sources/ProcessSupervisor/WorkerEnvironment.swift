import Glibc

/// What a worker is told through its environment, and on which descriptors it finds what it is given.
///
/// | variable | meaning |
/// |---|---|
/// | `LISTEN_FDS=1` | descriptor 3 is the shared listening socket (sd_listen_fds(3)) |
/// | `LISTEN_PID` | unset: `posix_spawn` cannot know the pid beforehand. `WorkerLauncher` sets it |
/// | `TREERING_LISTEN_FDS=1` | the same as LISTEN_FDS, valid without LISTEN_PID |
/// | `TREERING_LIFELINE_FD=4` | descriptor 4 is the lifeline (`WorkerLifeline`) |
/// | `TREERING_WORKER` | the worker's number, from 0 |
/// | `TREERING_SUPERVISOR_PID` | the supervisor |
///
/// The supervisor's own dealings with its service manager (`NOTIFY_SOCKET`, `WATCHDOG_*`, `LISTEN_*`) are not passed
/// on: a worker would answer in its name.
enum WorkerEnvironment {
  static let listenerDescriptor: Int32 = 3
  static let lifelineDescriptor: Int32 = 4

  static let listenDescriptors = "LISTEN_FDS"
  static let listenPID = "LISTEN_PID"
  static let ownListenDescriptors = "TREERING_LISTEN_FDS"
  static let lifeline = "TREERING_LIFELINE_FD"
  static let worker = "TREERING_WORKER"
  static let supervisor = "TREERING_SUPERVISOR_PID"

  private static let notInherited: Set<String> = [
    "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID",
    listenDescriptors, listenPID, ownListenDescriptors, lifeline, worker, supervisor,
  ]

  /// `NAME=VALUE` for a worker: what is inherited, then `extra`, then what the supervisor says; later wins.
  static func lines(
    worker index: Int, listens: Bool, supervisor pid: Int32, inherited: [String], extra: [String: String]
  ) -> [String] {
    var own = [worker: "\(index)", supervisor: "\(pid)", lifeline: "\(lifelineDescriptor)"]
    if listens {
      own[listenDescriptors] = "1"
      own[ownListenDescriptors] = "1"
    }
    let added = extra.merging(own) { $1 }
    let kept = inherited.filter { line in
      let name = String(line.prefix { $0 != "=" })
      return !notInherited.contains(name) && added[name] == nil
    }
    return kept + added.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
  }

  /// The descriptor of the listening socket, if these values promise one to the process `pid`. LISTEN_FDS is for the
  /// process that LISTEN_PID names and for no child of it that has inherited the variables.
  static func passedListener(
    listenDescriptors: Int32?, listenPID: Int32?, ownListenDescriptors: Int32?, pid: Int32
  ) -> Int32? {
    let fromManager = listenPID == pid ? listenDescriptors ?? 0 : 0
    return max(fromManager, ownListenDescriptors ?? 0) > 0 ? listenerDescriptor : nil
  }

  /// This process's environment. A snapshot; nothing in this module writes to it.
  static var ofThisProcess: [String] {
    var lines: [String] = []
    // `environ` ends with a null pointer and holds C strings; nobody changes it while it is read.
    var entry = unsafe environ
    while let line = unsafe entry.pointee {
      lines.append(unsafe String(cString: line))
      unsafe entry += 1
    }
    return lines
  }

  static func value(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  static func number(_ name: String) -> Int32? { value(name).flatMap { Int32($0) } }
}
