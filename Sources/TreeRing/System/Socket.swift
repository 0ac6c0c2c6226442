import CTreeRing
package import Glibc

/// A connected socket of our own, in non-blocking mode, closed on exec, in a forked child and with its last reference. A peer that has gone is an error, never a SIGPIPE.
package final class Socket {
  package let descriptor: Int32

  /// What came of sending.
  package enum Sent {
    /// So many bytes; of a datagram all.
    case took(Int)
    /// There is no room now.
    case full
    case failed(Errno)
  }

  private init(_ address: SocketAddress, _ type: __socket_type) throws(Errno) {
    descriptor = try Syscalls.socket(address.family, Int32(type.rawValue | SOCK_NONBLOCK.rawValue))
    Syscalls.keepFromChildren(descriptor)
  }

  deinit { Syscalls.closeKept(descriptor) }

  /// A socket of this machine, which is connected at once or not at all.
  package static func connected(to address: SocketAddress, _ type: __socket_type) throws(Errno) -> Socket {
    try connecting(to: address, type)
  }

  /// Begins to connect. Never waits: ``isConnected(withinMilliseconds:)`` tells when it is done.
  package static func connecting(to address: SocketAddress, _ type: __socket_type) throws(Errno) -> Socket {
    let socket = try Socket(address, type)
    if type == SOCK_STREAM, address.family != AF_UNIX { socket.limitWhatIsUnderWay() }
    let result = unsafe address.withAddress { unsafe connect(socket.descriptor, $0, $1) }
    if result != 0, errno != EINPROGRESS { throw .current }
    return socket
  }

  /// Whether the peer has accepted, within that time. Throws when it has refused.
  package func isConnected(withinMilliseconds limit: Int) throws(Errno) -> Bool {
    guard hasRoom(withinMilliseconds: limit) else { return false }
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
    if code != 0 { throw Errno(code) }
    return true
  }

  /// What has been sent and not confirmed is lost when a connection breaks: so there is little of it, and a peer that has vanished without a word is
  /// found out after half a minute.
  private func limitWhatIsUnderWay() {
    set(SOL_SOCKET, SO_SNDBUF, 131_072)
    set(SOL_SOCKET, SO_KEEPALIVE, 1)
    set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 30_000)
  }

  private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  package func send(_ bytes: UnsafeRawBufferPointer) -> Sent {
    while true {
      let count = unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      if count >= 0 { return .took(count) }
      switch errno {
      case EINTR: continue
      case EAGAIN, ENOBUFS: return .full
      default: return .failed(.current)
      }
    }
  }

  /// Sends an empty datagram that carries `file`.
  package func send(file: Int32) -> Sent {
    while tr_send_descriptor(descriptor, file) < 0 {
      switch errno {
      case EINTR: continue
      case EAGAIN, ENOBUFS: return .full
      default: return .failed(.current)
      }
    }
    return .took(0)
  }

  /// Whether there is room to send, or an error that sending would name, within that time.
  package func hasRoom(withinMilliseconds limit: Int) -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return unsafe Glibc.poll(&poll, 1, Int32(clamping: limit)) > 0
  }

  /// Whether the other end of a stream has closed it: what is sent from then on is lost without an error.
  package var isClosedByPeer: Bool {
    var byte: UInt8 = 0
    let flags = Int32(MSG_PEEK | MSG_DONTWAIT)
    let count = unsafe recv(descriptor, &byte, 1, flags)
    return count == 0 || count < 0 && errno != EAGAIN && errno != EINTR
  }
}

/// An address as the kernel takes it.
package struct SocketAddress: Sendable {
  package let family: Int32
  /// A sockaddr_un, sockaddr_in or sockaddr_in6, byte by byte.
  private let bytes: [UInt8]

  /// A socket in the file system; nil when the path is longer than one may be (107 bytes).
  package init?(path: String) {
    let room = MemoryLayout<sockaddr_un>.size - MemoryLayout<sa_family_t>.size
    guard path.utf8.count < room, !path.isEmpty else { return nil }
    family = AF_UNIX
    let head = unsafe withUnsafeBytes(of: sa_family_t(AF_UNIX)) { unsafe Array($0) }
    bytes = head + Array(path.utf8) + [UInt8](repeating: 0, count: room - path.utf8.count)
  }

  /// A name in the abstract namespace, unix(7), without its leading NUL; nil when it is longer than one may be.
  package init?(abstractName name: String) {
    guard name.utf8.count < MemoryLayout<sockaddr_un>.size - MemoryLayout<sa_family_t>.size else { return nil }
    family = AF_UNIX
    // The address ends where the name does: a NUL behind it would be part of it.
    bytes = unsafe withUnsafeBytes(of: sa_family_t(AF_UNIX)) { unsafe Array($0) } + [0] + Array(name.utf8)
  }

  init(_ entry: addrinfo) {
    family = unsafe entry.ai_family
    // Each entry of getaddrinfo's list owns `ai_addrlen` bytes at `ai_addr` until freeaddrinfo.
    bytes = unsafe Array(UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen)))
  }

  package func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    unsafe bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("an address has bytes") }
      return unsafe body(base.assumingMemoryBound(to: sockaddr.self), socklen_t(buffer.count))
    }
  }
}
