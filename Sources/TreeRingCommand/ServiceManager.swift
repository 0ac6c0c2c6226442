import Glibc
import TreeRing

/// What a daemon tells the manager that has started it (sd_notify(3)): one datagram to the socket that `NOTIFY_SOCKET` names. Without the variable nothing is done.
struct ServiceManager {
  private let socketPath: String?

  init(_ variable: (String) -> String? = Syscalls.environment) { socketPath = variable("NOTIFY_SOCKET") }

  /// It does its work from now on.
  func tellReady() { send("READY=1") }

  /// It reads its configuration again; ``tellReady()`` ends that.
  func tellReloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Syscalls.now(CLOCK_MONOTONIC) / 1000)") }

  /// It has been asked to stop, and delivers what there is.
  func tellStopping() { send("STOPPING=1") }

  private func send(_ text: String) {
    guard let socketPath, let address = Self.address(socketPath) else { return }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    // Not waited for: a manager that does not read must not hold the daemon.
    let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
    var (name, length) = address
    unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe _ = sendto(descriptor, bytes, bytes.count, flags, $0, length)
      }
    }
  }

  /// `/path`, or `@name` for one in the abstract namespace; nil when it is neither, or too long.
  private static func address(_ path: String) -> (sockaddr_un, socklen_t)? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    guard let first = bytes.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"),
      bytes.count < MemoryLayout.size(ofValue: address.sun_path)
    else { return nil }
    if first == UInt8(ascii: "@") { bytes[0] = 0 }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let family = MemoryLayout<sa_family_t>.size
    return (address, socklen_t(family + bytes.count + (first == UInt8(ascii: "/") ? 1 : 0)))
  }
}
