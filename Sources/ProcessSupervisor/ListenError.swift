/// Why there is no listening socket. Each names the address and what to do.
package enum ListenError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The text is not `HOST:PORT`.
  case invalidAddress(String, reason: String)
  /// The name means nothing to the resolver.
  case unknownHost(String, reason: String)
  case addressInUse(String, port: UInt16)
  case permissionDenied(String, port: UInt16)
  /// The address belongs to no interface of this machine.
  case addressNotAvailable(String)
  /// The environment promises a listening socket on this descriptor, and there is none.
  case notListening(descriptor: Int32, reason: String)
  /// Anything else the system refused: the call and its error.
  case system(String)

  package var description: String {
    switch self {
    case .invalidAddress(let text, let reason):
      "'\(text)' is no address to listen on: \(reason). Write HOST:PORT, such as 127.0.0.1:8080, [::1]:8080 or :8080"
    case .unknownHost(let host, let reason):
      "cannot find the host '\(host)': \(reason). Check the spelling, or give a numeric address"
    case .addressInUse(let address, let port):
      "\(address) is in use by another process: stop it ('ss -ltnp sport = :\(port)' names it), or choose another port"
    case .permissionDenied(let address, let port):
      port != 0 && port < 1024
        ? "no permission to listen on \(address): choose a port from 1024 up, or grant CAP_NET_BIND_SERVICE"
        : "no permission to listen on \(address): the system's security policy forbids it"
    case .addressNotAvailable(let address):
      "\(address) is no address of this machine ('ip address' lists them): choose one of those, or 0.0.0.0 for all"
    case .notListening(let descriptor, let reason):
      "descriptor \(descriptor) should be a listening socket, but \(reason): "
        + "unset LISTEN_FDS and TREERING_LISTEN_FDS, or start this program under its supervisor"
    case .system(let what):
      "cannot prepare the listening socket: \(what)"
    }
  }
}
