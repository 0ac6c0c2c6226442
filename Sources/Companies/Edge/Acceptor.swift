import NIOCore
import NIOPosix

/// Takes connections from a socket that other processes take from too.
///
/// Of all the processes that wait for one socket, each wakes for a connection and one of them gets it. NIO's own server
/// channel counts on never being woken for nothing, and traps in a debug build. So here a thread waits for the socket,
/// and an event loop is asked to take what is there:
///
/// - A worker whose loop hangs takes nothing more. The connection stays in the shared queue, for a worker that lives.
/// - One connection is taken at a time, so that a burst spreads over the workers.
struct Acceptor {
  let socket: ListeningSocket
  let loops: any EventLoopGroup

  /// How long to leave connections in the kernel's queue when there are no descriptors for them.
  static let pauseWhenExhausted = Duration.milliseconds(100)

  /// Calls `take` for each connection until the socket is told to stop; then closes it.
  func run(_ take: (Int32, any EventLoop) -> Void) async {
    let doorbell = NIOThreadPool(numberOfThreads: 1)
    doorbell.start()
    while let rings = try? await doorbell.runIfActive({ socket.waitForConnection() }), rings {
      let loop = loops.next()
      switch try? await loop.submit({ socket.accept() }).get() {
      case .connection(let descriptor): take(descriptor, loop)
      case .exhausted: try? await Task.sleep(for: Self.pauseWhenExhausted)
      case .nothing, nil: continue
      }
    }
    socket.stop()
    try? await doorbell.shutdownGracefully()
    socket.close()
  }
}
