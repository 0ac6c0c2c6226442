import Glibc
import TestSupport

@testable import TreeRing

/// Reads a socket on a thread of its own, unless it is told to pause: datagrams, or connections with octet counting (TCP) or zero bytes behind the lines (a local
/// stream). It goes away and comes back at the same place.
final class SocketReader: Sendable, Receiver {
  enum Place: Sendable {
    case local(String)
    case localStream(String)
    case udp(UInt16)
    case tcp(UInt16)

    var path: String? {
      switch self {
      case .local(let path), .localStream(let path): path
      case .udp, .tcp: nil
      }
    }

    var hasConnections: Bool {
      switch self {
      case .local, .udp: false
      case .localStream, .tcp: true
      }
    }
  }

  private struct State {
    var listening: Int32 = -1
    var connection: Int32 = -1
    var isPaused = false
    /// Of the stream, what is no whole frame yet.
    var partial: [UInt8] = []
    var lines: [UInt8] = []
  }

  let place: Place
  private let state = Locked(State())

  init(_ place: Place) throws {
    self.place = place
    try open()
    ReaderThread.start(for: self) { $0.step() }
  }

  deinit { close() }

  /// Begins to listen.
  func open() throws {
    let type = place.hasConnections ? SOCK_STREAM : SOCK_DGRAM
    let descriptor = try Self.socket(place.path == nil ? AF_INET : AF_UNIX, type)
    var (one, size) = (Int32(1), Int32(place.hasConnections ? 4096 : 8 << 20))
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
    // Of a stream little, so that a reader who does not read is felt soon; of datagrams much: what finds no room there is lost. More than the system's limit is
    // root's to have.
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, 4)
    let result =
      switch place {
      case .local(let path), .localStream(let path):
        unsafe SocketAddress(path: path)?.withAddress { unsafe bind(descriptor, $0, $1) }
      case .udp(let port), .tcp(let port): unsafe FreePort.withAddress(port) { unsafe bind(descriptor, $0, $1) }
      }
    guard result == 0, !place.hasConnections || listen(descriptor, 8) == 0 else { throw Errno.current }
    state.withLock { $0.listening = descriptor }
  }

  private static func socket(_ family: Int32, _ type: __socket_type) throws -> Int32 {
    let flags = Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = Glibc.socket(family, flags, 0)
    guard descriptor >= 0 else { throw Errno.current }
    return descriptor
  }

  /// Goes away.
  func close() {
    state.withLock { state in
      for descriptor in [state.listening, state.connection] where descriptor >= 0 { Glibc.close(descriptor) }
      (state.listening, state.connection) = (-1, -1)
      state.partial = []
    }
    if let path = place.path { unsafe unlink(path) }
  }

  /// Whether somebody is connected.
  var isConnected: Bool { state.withLock { $0.connection >= 0 } }

  var isPaused: Bool {
    get { state.withLock { $0.isPaused } }
    set { state.withLock { $0.isPaused = newValue } }
  }

  /// The lines once they are `count` bytes or ten seconds have passed.
  func wait(for count: Int) -> [UInt8] {
    let end = Syscalls.now(CLOCK_MONOTONIC) + 10_000_000_000
    while state.withLock({ $0.lines.count }) < count, Syscalls.now(CLOCK_MONOTONIC) < end { usleep(500) }
    return state.withLock { $0.lines }
  }

  /// Reads once; true when there was something.
  private func step() -> Bool {
    state.withLock { state in
      guard state.listening >= 0, !state.isPaused else { return false }
      var part = [UInt8](repeating: 0, count: 65_536)
      if !place.hasConnections {
        let count = unsafe read(state.listening, &part, part.count)
        guard count > 0 else { return false }
        state.lines += part[..<count] + (part[count - 1] == 0x0A ? [] : [0x0A])
        return true
      }
      if state.connection < 0 { state.connection = accept(state.listening, nil, nil) }
      guard state.connection >= 0 else { return false }
      let count = unsafe recv(state.connection, &part, part.count, Int32(MSG_DONTWAIT))
      if count == 0 {
        Glibc.close(state.connection)
        (state.connection, state.partial) = (-1, [])
      }
      guard count > 0 else { return false }
      if case .localStream = place {
        state.lines += part[..<count].map { $0 == 0 ? 0x0A : $0 }
      } else {
        state.partial += part[..<count]
        Self.unframe(&state.partial, into: &state.lines)
      }
      return true
    }
  }

  /// RFC 6587, section 3.4.1.
  private static func unframe(_ bytes: inout [UInt8], into lines: inout [UInt8]) {
    var rest = bytes[...]
    while let blank = rest.firstIndex(of: 0x20), let length = Int(String(decoding: rest[..<blank], as: UTF8.self)),
      blank + 1 + length <= rest.endIndex
    {
      lines += rest[(blank + 1)..<(blank + 1 + length)] + [0x0A]
      rest = rest[(blank + 1 + length)...]
    }
    bytes = Array(rest)
  }
}

/// What is at the other end of a sink's socket: a thread of the test, or a real daemon.
protocol Receiver: AnyObject {
  /// The lines that it has got, once they are `count` bytes, or after a time.
  func wait(for count: Int) throws -> [UInt8]
  /// Whether it reads nothing.
  var isPaused: Bool { get set }
  /// Goes away.
  func close()
  /// Comes back at the same place.
  func open() throws
  /// The lines in messages that it understands.
  func spelled(_ lines: Lines) -> [UInt8]
}

extension Receiver {
  func spelled(_ lines: Lines) -> [UInt8] { lines.bytes }
}

/// A sink whose destination is a socket.
final class SocketSubject: SinkSubject {
  private let reader: any Receiver
  private var inode = ""

  init(_ sink: any Sink, _ reader: any Receiver) {
    self.reader = reader
    super.init(sink)
  }

  override var sink: (any Sink)? {
    willSet { inode = (sink as? any SocketHolder)?.socket.map { Self.name($0.descriptor) } ?? inode }
  }

  /// `socket:[4711]`, as the descriptor is called in /proc.
  private static func name(_ descriptor: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 64)
    let count = unsafe readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
    return String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  override func spelled(_ lines: Lines) -> [UInt8] { reader.spelled(lines) }
  override func arrived(_ count: Int) throws -> [UInt8] { try reader.wait(for: count) }
  override func stall(_ isStalled: Bool) { reader.isPaused = isStalled }
  override func fail() { reader.close() }
  override func mend() throws { try reader.open() }
  /// A sink that never opened a socket proves nothing.
  override func holdsAnything() -> Bool { !inode.hasPrefix("socket:") || Self.isOpen(inode) }
}

/// A sink with a connection.
private protocol SocketHolder { var socket: Socket? { get } }
extension SyslogSink: SocketHolder { var socket: Socket? { carrier?.socket } }
extension JournalSink: SocketHolder { var socket: Socket? { carrier?.socket } }

extension SinkKind {
  private static let tooLong = String(repeating: "x", count: 120)

  static let syslogLocal = SinkKind(
    description: "syslog, local",
    open: { directory in
      let path = directory.file("log")
      return SocketSubject(try SyslogSink(.local(path: path)), try SocketReader(.local(path)))
    }, canStall: true, canFail: true,
    openImpossible: { directory in
      let path = directory.file(tooLong)
      return ({ try SyslogSink(.local(path: path)) }, path)
    })

  static let syslogLocalStream = SinkKind(
    description: "syslog, local stream",
    open: { directory in
      let path = directory.file("log")
      return SocketSubject(try SyslogSink(.local(path: path)), try SocketReader(.localStream(path)))
    }, canStall: true, canFail: true)

  static let syslogUDP = SinkKind(
    description: "syslog, UDP",
    open: { _ in
      let port = FreePort.find(SOCK_DGRAM)
      return SocketSubject(try SyslogSink(.udp(host: "127.0.0.1", port: port)), try SocketReader(.udp(port)))
    }, canFail: true)

  static let syslogTCP = SinkKind(
    description: "syslog, TCP",
    open: { _ in
      let port = FreePort.find(SOCK_STREAM)
      return SocketSubject(try SyslogSink(.tcp(host: "127.0.0.1", port: port)), try SocketReader(.tcp(port)))
    }, canStall: true, canFail: true)

  static let journal = SinkKind(
    description: "journald",
    open: { directory in
      let path = directory.file("socket")
      return SocketSubject(try JournalSink(path: path), try SocketReader(.local(path)))
    }, canStall: true, canFail: true,
    openImpossible: { directory in
      let path = directory.file(tooLong)
      return ({ try JournalSink(path: path) }, path)
    })
}
