import Glibc
import TreeRing

/// Lines of JSON for a program that listens on a stream socket of this machine, as log agents do.
final class SocketSink: Sink {
  let name: String
  let format = LogFormat.json
  let colours = false
  let level = Level.trace
  private let address: SocketAddress
  private var socket: Socket?

  /// A listener that is not there yet is an outage, and no error.
  init(path: String) throws(LogError) {
    guard let address = SocketAddress(path: path) else {
      throw LogError("the path of a socket has 107 bytes at most: choose a shorter one than \(path)")
    }
    self.address = address
    name = "socket:\(path)"
    socket = try? connect()
  }

  private func connect() throws(Errno) -> Socket { try Socket.connected(to: address, SOCK_STREAM) }

  /// Nothing is known afterwards of what was on its way.
  func intent(length: Int) -> SinkIntent { .stream }

  func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    guard try unsafe accept(bytes, patienceMilliseconds: 100) == bytes.count else { throw Errno(EAGAIN) }
  }

  func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    guard let socket else { throw Errno(ENOTCONN) }
    var (taken, patience) = (0, patienceMilliseconds)
    while taken < bytes.count {
      switch unsafe socket.send(UnsafeRawBufferPointer(rebasing: bytes[taken...])) {
      case .took(let count): taken += count
      case .full:
        // One wait for each call, so that a reader of a byte now and then does not hold the writer for ever.
        guard patience > 0, socket.hasRoom(withinMilliseconds: patience) else { return taken }
        patience = 0
      case .failed(let error):
        // With a part taken the error is the next call's: it will be there again.
        if taken == 0 { throw error }
        return taken
      }
    }
    return taken
  }

  /// A new connection knows nothing of a line that was cut off on the old one.
  func reopen() throws(Errno) -> Bool {
    socket = try connect()
    return true
  }

  func describe(_ error: Errno) -> String {
    error.code == ENOTCONN || error.code == ECONNREFUSED ? "nobody listens there" : "\(error)"
  }

  func synchronise() {}

  func finish() { socket = nil }
}
