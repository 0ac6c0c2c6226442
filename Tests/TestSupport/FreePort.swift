package import Glibc

/// Ports of the loopback interface for a test's own servers.
package enum FreePort {
  private static let found = Locked<Set<UInt16>>([])

  /// Below those that the kernel gives to outgoing connections: one of these, of a load test beside this one, could take the port before it is used.
  private static let range: Range<UInt16> = 20_000..<32_000

  /// One that nobody uses now, and that this process has not found before.
  package static func find(_ type: __socket_type = SOCK_STREAM) -> UInt16 {
    while true {
      let port = UInt16.random(in: range)
      if found.withLock({ !$0.contains(port) }), isFree(port, type), found.withLock({ $0.insert(port).inserted }) {
        return port
      }
    }
  }

  private static func isFree(_ port: UInt16, _ type: __socket_type) -> Bool {
    unsafe with(port, type) { unsafe bind($0, $1, $2) == 0 }
  }

  /// Whether somebody accepts connections there.
  package static func answers(_ port: UInt16) -> Bool {
    unsafe with(port, SOCK_STREAM) { unsafe connect($0, $1, $2) == 0 }
  }

  /// Calls `body` with a new socket and the port's address.
  private static func with(
    _ port: UInt16, _ type: __socket_type, _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
  ) -> Bool {
    let descriptor = socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    return unsafe withAddress(port) { unsafe body(descriptor, $0, $1) }
  }

  /// 127.0.0.1 and the port, as the kernel takes them.
  package static func withAddress<Result>(
    _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var address = address(port)
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// The same, to be changed.
  package static func address(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }
}
