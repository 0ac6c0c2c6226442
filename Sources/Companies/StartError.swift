/// Why the service does not start: what is wrong, with which thing, and what to do about it, in one line.
package enum StartError: Error, Equatable, CustomStringConvertible {
  /// The data directory cannot be made or written.
  case dataDirectory(path: String, reason: String)
  /// The database cannot be opened or prepared.
  case store(path: String, reason: String)
  /// The directory of static files is not one.
  case staticFilesDirectory(path: String)
  /// Another program listens there.
  case addressInUse(host: String, port: Int)
  /// The address is not ours to listen on.
  case address(host: String, port: Int, reason: String)
  /// The adopted descriptor is not a listening TCP socket.
  case descriptor(Int32, reason: String)

  package var description: String {
    switch self {
    case .dataDirectory(let path, let reason):
      "cannot use data directory \(path): \(reason); choose a directory this user can write"
    case .store(let path, let reason):
      "cannot use database \(path): \(reason); move it away or choose another data directory"
    case .staticFilesDirectory(let path):
      "\(path) is not a directory this user can read; choose the directory of the static files, or none"
    case .addressInUse(let host, let port):
      "cannot listen on \(host):\(port): another program does; stop it or choose another port"
    case .address(let host, let port, let reason):
      "cannot listen on \(host):\(port): \(reason); choose an address and a port of this machine"
    case .descriptor(let descriptor, let reason):
      "cannot adopt file descriptor \(descriptor): \(reason); pass a listening TCP socket"
    }
  }

  /// Whether the configuration is at fault (exit code 78) or the state of the machine (exit code 1).
  package var isConfigurationError: Bool {
    switch self {
    case .dataDirectory, .staticFilesDirectory, .address, .descriptor: true
    case .store, .addressInUse: false
    }
  }
}
