import Glibc

/// Unix stream sockets with names in the file system, at paths of any length.
package enum ControlSocket {
  /// Suffix of a control socket's name; what stands before is that of the process's ring file.
  package static let suffix = ".control"

  /// The socket that belongs to a ring file.
  static func path(besideRing path: String) -> String { path.replacingSuffix(RingDirectory.suffix, by: suffix) }

  /// A listening socket at `path`, for its owner only. Nothing may be there yet.
  static func listen(at path: String) throws(Errno) -> Int32 {
    let descriptor = try make()
    var isKept = false
    defer { if !isKept { close(descriptor) } }
    // The kernel gives the name the mode of the socket: it is never open to others, not for a moment.
    guard fchmod(descriptor, 0o600) == 0 else { throw .current }
    unsafe try withAddress(path) { address, size throws(Errno) in
      guard unsafe bind(descriptor, address, size) == 0 else { throw .current }
    }
    guard Glibc.listen(descriptor, 8) == 0 else { throw .current }
    isKept = true
    return descriptor
  }

  /// A connection to the socket at `path`. Reads and writes give up after five seconds.
  static func connect(to path: String) throws(Errno) -> Int32 {
    let descriptor = try make()
    var isKept = false
    defer { if !isKept { close(descriptor) } }
    limitWaiting(descriptor, seconds: 5)
    unsafe try withAddress(path) { address, size throws(Errno) in
      guard unsafe Glibc.connect(descriptor, address, size) == 0 else { throw .current }
    }
    isKept = true
    return descriptor
  }

  private static func make() throws(Errno) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .current }
    return descriptor
  }

  /// No read or write of the descriptor waits longer.
  static func limitWaiting(_ descriptor: Int32, seconds: Int) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      unsafe setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  /// Who is at the other end, as the kernel says.
  static func peer(of descriptor: Int32) throws(Errno) -> (uid: UInt32, pid: Int32) {
    // struct ucred, which Swift's module lacks: pid, uid, gid.
    var credentials: (Int32, UInt32, UInt32) = (0, .max, .max)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { throw .current }
    return (credentials.1, credentials.0)
  }

  /// The kernel takes 107 bytes of a path. A longer one is named through its directory's descriptor.
  private static func withAddress(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Void
  ) throws(Errno) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path) - 1
    guard path.utf8.count > room else { return try unsafe with(&address, path, body) }
    guard let slash = path.lastIndex(of: "/") else { throw Errno(ENAMETOOLONG) }
    let directory = try Syscalls.open(String(path[..<slash]), O_RDONLY | O_DIRECTORY)
    defer { close(directory) }
    let short = "/proc/self/fd/\(directory)\(path[slash...])"
    guard short.utf8.count <= room else { throw Errno(ENAMETOOLONG) }
    try unsafe with(&address, short, body)
  }

  private static func with(
    _ address: inout sockaddr_un, _ path: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Void
  ) throws(Errno) {
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let copy = address
    let result: Result<Void, Errno> = unsafe withUnsafePointer(to: copy) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        do throws(Errno) {
          return .success(try unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_un>.size)))
        } catch {
          return .failure(error)
        }
      }
    }
    try result.get()
  }

  /// Reads until the other end closes, or a line ends, or `limit`.
  static func read(_ descriptor: Int32, limit: Int, untilLineEnds: Bool) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while bytes.count < limit {
      let count = unsafe Glibc.read(descriptor, &part, part.count)
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { break }
      bytes += part[..<count]
      if untilLineEnds, let end = bytes.firstIndex(of: UInt8(ascii: "\n")) { return Array(bytes[..<end]) }
    }
    return bytes
  }

  static func write(_ descriptor: Int32, _ text: String) {
    var text = text
    Syscalls.withoutSIGPIPE {
      text.withUTF8 { unsafe _ = Syscalls.writeAllInTime(descriptor, UnsafeRawBufferPointer($0)) }
    }
  }
}

extension Syscalls {
  /// As ``writeAll(_:_:)`` for a socket with a time limit: gives up when that is over. False when not all was written.
  static func writeAllInTime(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    var written = 0
    while written < bytes.count, let start = bytes.baseAddress {
      let result = unsafe Glibc.write(descriptor, start + written, bytes.count - written)
      if result > 0 { written += result } else if errno != EINTR { return false }
    }
    return true
  }
}

extension String {
  /// `/run/a.ring` as `/run/a.control`.
  func replacingSuffix(_ old: String, by new: String) -> String {
    hasSuffix(old) ? String(dropLast(old.count)) + new : self + new
  }
}
