import Glibc

/// A TCP socket that takes connections: one for all workers, owned by the supervisor.
///
/// One shared descriptor rather than one SO_REUSEPORT socket a worker: there the kernel gives every worker a queue of
/// its own, and the connections waiting in a dead worker's queue are reset. Here they wait for the next worker that is
/// free. The price is that bursts of connections spread unevenly.
///
/// The socket is left blocking, as systemd passes it; the flag belongs to the socket and so to all workers together.
package struct ListeningSocket: ~Copyable, Sendable {
  /// Connections that may wait to be accepted; the kernel lowers it to net.core.somaxconn.
  package static let backlog: Int32 = 4096

  private let socket: Descriptor
  /// What it really listens on: numeric host, and the port that the system chose where 0 was asked for.
  package let address: ListenAddress

  /// The descriptor, still owned by this value.
  package var descriptor: Int32 { socket.number }

  private init(_ socket: consuming Descriptor, _ address: ListenAddress) {
    self.socket = socket
    self.address = address
  }

  /// Hands the descriptor over: whoever takes it closes it.
  package consuming func release() -> Int32 { socket.release() }

  /// Binds `HOST:PORT` and listens. Blocks for the resolver when HOST is a name.
  package static func bind(_ text: String) throws(ListenError) -> ListeningSocket {
    try bind(ListenAddress(text))
  }

  /// As above. The descriptor is close-on-exec, with SO_REUSEADDR: connections of a former process in TIME_WAIT are no
  /// obstacle. A name with several addresses gets the first that can be bound, IPv4 before IPv6.
  package static func bind(_ address: ListenAddress) throws(ListenError) -> ListeningSocket {
    var failure = ListenError.unknownHost(address.host ?? "", reason: "it has no address")
    for candidate in try ResolvedAddress.all(for: address) {
      do throws(SystemError) {
        let socket = try open(candidate)
        let local = try ResolvedAddress.local(of: socket.number)
        return ListeningSocket(socket, local)
      } catch {
        failure = ListenError(error, address)
      }
    }
    throw failure
  }

  /// Sets the backlog anew. Whoever adopts a listening socket may have cut it: SwiftNIO's bootstrap sets 128.
  package static func restoreBacklog(of descriptor: Int32) { listen(descriptor, backlog) }

  private static func open(_ candidate: ResolvedAddress) throws(SystemError) -> Descriptor {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let socket = Descriptor(try SystemError.check("socket") { Glibc.socket(candidate.family, type, 0) })
    let number = socket.number
    var on: Int32 = 1
    // The option is an Int32, and its size is what is passed.
    _ = unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    try SystemError.check("bind") { unsafe candidate.withAddress { unsafe Glibc.bind(number, $0, $1) } }
    try SystemError.check("listen") { listen(number, backlog) }
    return socket
  }
}

// MARK: - A worker's side

extension ListeningSocket {
  /// The listening socket that a supervisor or systemd has passed to this process; nil when none was passed.
  ///
  /// Descriptor 3, if `LISTEN_FDS` says so and `LISTEN_PID` is this process, or if `TREERING_LISTEN_FDS` says so.
  /// Further descriptors are left alone. It becomes close-on-exec. Call it once: two owners of one descriptor close it
  /// twice.
  package static func adopt() throws(ListenError) -> ListeningSocket? {
    let passed = WorkerEnvironment.passedListener(
      listenDescriptors: WorkerEnvironment.number(WorkerEnvironment.listenDescriptors),
      listenPID: WorkerEnvironment.number(WorkerEnvironment.listenPID),
      ownListenDescriptors: WorkerEnvironment.number(WorkerEnvironment.ownListenDescriptors), pid: getpid())
    guard let passed else { return nil }
    return try adopt(descriptor: passed)
  }

  /// Takes over a descriptor that is a listening TCP socket; fails with `.notListening` when it is anything else, and
  /// then leaves it alone.
  package static func adopt(descriptor: Int32) throws(ListenError) -> ListeningSocket {
    var isListening: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    // The option is an Int32, and its size is what is passed.
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0 else {
      throw .notListening(descriptor: descriptor, reason: "it is not: \(SystemError.text(errno))")
    }
    guard isListening != 0 else {
      throw .notListening(descriptor: descriptor, reason: "it is a socket that does not listen")
    }
    do throws(SystemError) {
      let address = try ResolvedAddress.local(of: descriptor)
      try SystemError.check("fcntl") { fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
      return ListeningSocket(Descriptor(descriptor), address)
    } catch {
      throw .notListening(descriptor: descriptor, reason: "\(error)")
    }
  }
}

extension ListenError {
  fileprivate init(_ error: SystemError, _ address: ListenAddress) {
    self =
      switch error.code {
      case EADDRINUSE: .addressInUse("\(address)", port: address.port)
      case EACCES, EPERM: .permissionDenied("\(address)", port: address.port)
      case EADDRNOTAVAIL, EAFNOSUPPORT: .addressNotAvailable("\(address)")
      default: .system("\(address): \(error)")
      }
  }
}
