import Glibc
import NIOCore
import NIOPosix

/// Opens the socket that connections come from, and says in our words why it cannot.
enum ListeningSocket {
  /// Binds or adopts. `bootstrap` carries the backlog: NIO calls `listen` again on an adopted socket, with it.
  static func open(
    _ listening: CompaniesConfiguration.Listening, _ bootstrap: ServerBootstrap
  ) async throws -> any Channel {
    switch listening {
    case .adopt(let descriptor):
      try checkListens(descriptor)
      do {
        return try await bootstrap.withBoundSocket(descriptor).get()
      } catch {
        throw StartError.descriptor(descriptor, reason: "\(error)")
      }
    case .bind(let host, let port):
      do {
        return try await bootstrap.bind(host: host, port: port).get()
      } catch let error as IOError where error.errnoCode == EADDRINUSE {
        throw StartError.addressInUse(host: host, port: port)
      } catch let error as IOError {
        throw StartError.address(host: host, port: port, reason: unsafe String(cString: strerror(error.errnoCode)))
      } catch {
        throw StartError.address(host: host, port: port, reason: "\(error)")
      }
    }
  }

  private static func checkListens(_ descriptor: Int32) throws(StartError) {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 else {
      throw StartError.descriptor(descriptor, reason: unsafe String(cString: strerror(errno)))
    }
    guard value != 0 else { throw StartError.descriptor(descriptor, reason: "it does not listen") }
  }
}
