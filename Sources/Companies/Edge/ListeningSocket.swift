import Glibc
import NIOCore
import Synchronization

/// The socket that connections come from: our own, or one that a supervisor opened and shares between workers.
///
/// ``waitForConnection()`` blocks, on a thread that has nothing else to do; the rest returns at once.
final class ListeningSocket: Sendable {
  /// What became of one attempt to take a connection.
  enum Accepted: Sendable {
    case connection(Int32)
    /// Nothing there: it was taken by another process, or has gone away again.
    case nothing
    /// The process, or the machine, is out of descriptors or memory.
    case exhausted
  }

  /// Where it listens.
  let port: Int
  private let descriptor: Int32
  private let isOpen = Mutex(true)
  /// Readable once ``stop()`` was called, and from then on.
  private let stopReader: Int32
  private let stopWriter: Int32

  /// Binds or adopts, and listens.
  /// - Throws: ``StartError``. An adopted descriptor is then left alone.
  init(_ listening: CompaniesConfiguration.Listening, backlog: Int32) throws(StartError) {
    let pipe = try Self.makePipe()
    do throws(StartError) {
      descriptor = try Self.open(listening)
    } catch {
      Glibc.close(pipe.reader)
      Glibc.close(pipe.writer)
      throw error
    }
    (stopReader, stopWriter) = pipe
    port = Self.port(of: descriptor)
    // Accepting is tried by every process that shares the socket, and only one of them succeeds: none may block.
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    listen(descriptor, backlog)
  }

  deinit {
    close()
    Glibc.close(stopReader)
    Glibc.close(stopWriter)
  }

  /// Blocks until a connection waits, or somebody else has taken it. False: ``stop()`` was called.
  func waitForConnection() -> Bool {
    var watched = [
      pollfd(fd: stopReader, events: Int16(POLLIN), revents: 0),
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
    ]
    while unsafe poll(&watched, nfds_t(watched.count), -1) < 0 && errno == EINTR {}
    return watched[0].revents == 0
  }

  /// Takes one connection, if there is one.
  func accept() -> Accepted {
    let connection = Glibc.accept(descriptor, nil, nil)
    guard connection < 0 else {
      _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
      return .connection(connection)
    }
    return [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) ? .exhausted : .nothing
  }

  /// Makes every ``waitForConnection()`` return false. From any thread, any number of times.
  func stop() {
    var byte: UInt8 = 0
    _ = unsafe write(stopWriter, &byte, 1)
  }

  /// Closes this process's hold on the socket. Nobody may wait for a connection any more.
  func close() {
    let wasOpen = isOpen.withLock { isOpen in
      defer { isOpen = false }
      return isOpen
    }
    if wasOpen { Glibc.close(descriptor) }
  }
}

// MARK: - Opening

extension ListeningSocket {
  private static func open(_ listening: CompaniesConfiguration.Listening) throws(StartError) -> Int32 {
    switch listening {
    case .adopt(let descriptor):
      try checkListens(descriptor)
      return descriptor
    case .bind(let host, let port):
      return try bind(host, port)
    }
  }

  private static func bind(_ host: String, _ port: Int) throws(StartError) -> Int32 {
    let address: SocketAddress
    do {
      address = try SocketAddress.makeAddressResolvingHost(host, port: port)
    } catch {
      throw .address(host: host, port: port, reason: "this name has no address")
    }
    let descriptor = socket(Int32(address.protocol.rawValue), Int32(SOCK_STREAM.rawValue), 0)
    var on: Int32 = 1
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    let outcome = unsafe address.withSockAddr { unsafe Glibc.bind(descriptor, $0, socklen_t($1)) }
    // Two sockets may both bind with SO_REUSEADDR; that the address is taken then shows when the second one listens.
    guard outcome == 0, listen(descriptor, 1) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      if code == EADDRINUSE { throw .addressInUse(host: host, port: port) }
      throw .address(host: host, port: port, reason: unsafe String(cString: strerror(code)))
    }
    return descriptor
  }

  private static func checkListens(_ descriptor: Int32) throws(StartError) {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 else {
      throw .descriptor(descriptor, reason: unsafe String(cString: strerror(errno)))
    }
    guard value != 0 else { throw .descriptor(descriptor, reason: "it does not listen") }
  }

  private static func port(of descriptor: Int32) -> Int {
    var address = [UInt8](repeating: 0, count: 128)
    var length = socklen_t(address.count)
    let outcome = unsafe address.withUnsafeMutableBytes { bytes in
      unsafe getsockname(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, &length)
    }
    // After the family, IPv4 and IPv6 addresses both have their port, in network order.
    return outcome == 0 ? Int(address[2]) << 8 | Int(address[3]) : 0
  }

  private static func makePipe() throws(StartError) -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else {
      throw .descriptor(-1, reason: "no pipe can be opened: " + (unsafe String(cString: strerror(errno))))
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}
