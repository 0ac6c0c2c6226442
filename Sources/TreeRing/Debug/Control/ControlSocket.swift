import Glibc

/// Unix stream sockets with names in the file system, at paths of any length.
package enum ControlSocket {
  /// Suffix of a control socket's name; what stands before is that of the process's ring file.
  package static let suffix = ".control"

  /// The socket that belongs to a ring file.
  static func path(besideRing path: String) -> String { path.replacingSuffix(RingDirectory.suffix, by: suffix) }

  /// A listening socket at `path`, for its owner only. Nothing may be there yet.
  static func listen(at path: String) throws(Errno) -> Int32 {
    let descriptor = try Syscalls.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue))
    var isKept = false
    defer { if !isKept { close(descriptor) } }
    // The kernel gives the name the mode of the socket: it is never open to others, not for a moment.
    guard fchmod(descriptor, 0o600) == 0 else { throw .current }
    unsafe try withAddress(path) { unsafe bind(descriptor, $0, $1) }
    guard Glibc.listen(descriptor, 8) == 0 else { throw .current }
    isKept = true
    return descriptor
  }

  /// A connection to the socket at `path`. Waits five seconds at most for one that has many callers.
  static func connect(to path: String) throws(Errno) -> Int32 {
    let descriptor = try Syscalls.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue))
    var isKept = false
    defer { if !isKept { close(descriptor) } }
    limitConnecting(descriptor, seconds: 5)
    unsafe try withAddress(path) { unsafe Glibc.connect(descriptor, $0, $1) }
    isKept = true
    return descriptor
  }

  private static func limitConnecting(_ descriptor: Int32, seconds: Int) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  /// Who is at the other end, as the kernel says.
  static func peer(of descriptor: Int32) throws(Errno) -> (uid: UInt32, pid: Int32) {
    // struct ucred, which Swift's module lacks: pid, uid, gid.
    var credentials: (Int32, UInt32, UInt32) = (0, .max, .max)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { throw .current }
    return (credentials.1, credentials.0)
  }

  /// Makes a system call with the address of `path`; throws when it fails. The kernel takes 107 bytes of a path: a longer one is named through its directory's descriptor.
  private static func withAddress(
    _ path: String, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(Errno) {
    var directory: Int32?
    defer { if let directory { close(directory) } }
    var address = SocketAddress(path: path)
    if address == nil, let slash = path.lastIndex(of: "/") {
      let opened = try Syscalls.open(String(path[..<slash]), O_RDONLY | O_DIRECTORY)
      directory = opened
      address = SocketAddress(path: "/proc/self/fd/\(opened)\(path[slash...])")
    }
    guard let address else { throw Errno(ENAMETOOLONG) }
    guard unsafe address.withAddress(call) == 0 else { throw .current }
  }

  /// What can be waited for: that a descriptor can be read or written, so many milliseconds. False when the time is over first.
  typealias Wait = (_ descriptor: Int32, _ event: Int32, _ milliseconds: Int32) -> Bool

  /// Sleeps in the kernel.
  static func wait(_ descriptor: Int32, _ event: Int32, _ milliseconds: Int32) -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    return unsafe Glibc.poll(&poll, 1, milliseconds) > 0
  }

  /// Waits no longer than until `deadline`, nanoseconds of `CLOCK_MONOTONIC`; false when that is over.
  private static func wait(_ descriptor: Int32, _ event: Int32, until deadline: UInt64, _ wait: Wait) -> Bool {
    while case let now = Syscalls.now(CLOCK_MONOTONIC), now < deadline {
      if wait(descriptor, event, Int32(clamping: (deadline - now) / 1_000_000 + 1)) { return true }
    }
    return false
  }

  /// Reads a line, without its end; nil when the other end closes before that, or the line is longer than `limit`, or `deadline` is over: a peer that sends byte by
  /// byte gets no more time than one that sends nothing.
  static func readLine(_ descriptor: Int32, limit: Int, until deadline: UInt64, _ wait: Wait = wait) -> [UInt8]? {
    var line: [UInt8]?
    read(descriptor, limit: limit, until: deadline, wait) { bytes in
      if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) { line = Array(bytes[..<end]) }
      return line == nil
    }
    return line
  }

  /// Reads until the other end closes, or `limit`, or `deadline`.
  static func readAll(_ descriptor: Int32, limit: Int, until deadline: UInt64, _ wait: Wait = wait) -> [UInt8] {
    read(descriptor, limit: limit, until: deadline, wait) { _ in true }
  }

  @discardableResult
  private static func read(
    _ descriptor: Int32, limit: Int, until deadline: UInt64, _ wait: Wait, goesOn: ([UInt8]) -> Bool
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while bytes.count < limit, Self.wait(descriptor, POLLIN, until: deadline, wait) {
      let count = unsafe recv(descriptor, &part, min(part.count, limit - bytes.count), Int32(MSG_DONTWAIT))
      if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
      if count <= 0 { break }
      bytes += part[..<count]
      if !goesOn(bytes) { break }
    }
    return bytes
  }

  /// Writes all of `text`, or what the other end takes until `deadline`.
  static func write(_ descriptor: Int32, _ text: String, until deadline: UInt64, _ wait: Wait = wait) {
    let bytes = Array(text.utf8)
    let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
    var written = 0
    while written < bytes.count, Self.wait(descriptor, POLLOUT, until: deadline, wait) {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe send(
          descriptor, UnsafeRawBufferPointer(rebasing: bytes[written...]).baseAddress, bytes.count - written, flags)
      }
      if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
      if count <= 0 { break }
      written += count
    }
  }

  /// A deadline so many seconds from now.
  static func deadline(seconds: UInt64) -> UInt64 { Syscalls.now(CLOCK_MONOTONIC) + seconds * 1_000_000_000 }
}

extension String {
  /// `/run/a.ring` as `/run/a.control`.
  func replacingSuffix(_ old: String, by new: String) -> String {
    hasSuffix(old) ? String(dropLast(old.count)) + new : self + new
  }
}
