import Glibc
import TreeRing

/// What a daemon tells the manager that has started it (sd_notify(3)): one datagram to the socket that `NOTIFY_SOCKET` names. Without the variable nothing is done.
struct ServiceManager {
  private let address: SocketAddress?

  init(_ variable: (String) -> String? = Syscalls.environment) {
    let path = variable("NOTIFY_SOCKET") ?? ""
    // `@name` is one in the abstract namespace.
    address = path.hasPrefix("@") ? SocketAddress(abstractName: String(path.dropFirst())) : SocketAddress(path: path)
  }

  /// It does its work from now on.
  func tellReady() { send("READY=1") }

  /// It reads its configuration again; ``tellReady()`` ends that.
  func tellReloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Syscalls.now(CLOCK_MONOTONIC) / 1000)") }

  /// It has been asked to stop, and delivers what there is.
  func tellStopping() { send("STOPPING=1") }

  /// Not waited for: a manager that does not read must not hold the daemon.
  private func send(_ text: String) {
    guard let address, let socket = try? Socket.connected(to: address, SOCK_DGRAM) else { return }
    var text = text
    text.withUTF8 { unsafe _ = socket.send(UnsafeRawBufferPointer($0)) }
  }
}
