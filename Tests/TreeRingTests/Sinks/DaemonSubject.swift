import Glibc
import TestSupport

@testable import TreeRing

/// Real daemons in the contract suite: each stands still, ends, and is started again as its administrator would do it, and its own file says what it has got.
extension SinkKind {
  static let daemons: [SinkKind] = {
    let servers = SyslogServer.Program.allCases.flatMap { program in
      SyslogServer.Transport.allCases.map { syslog(program, $0) }
    }
    if !JournaldServer.isAvailable { print("not run: the contract of sinks with \(JournaldServer.absence)") }
    return servers + [syslogNGStream] + (JournaldServer.isAvailable ? [journald] : [])
  }()

  private static func syslog(_ program: SyslogServer.Program, _ transport: SyslogServer.Transport) -> SinkKind {
    SinkKind(
      description: "\(program), \(transport)",
      open: { _ in
        let server = try SyslogServer(program)
        let sink = try SyslogSink(server.target(transport, .rfc5424), options: SyslogOptions(standard: .rfc5424))
        return SocketSubject(sink, SyslogReceiver(server, "<14>1 - - - - - - "))
      }, canStall: transport != .udp, canFail: true)
  }

  private static let syslogNGStream = SinkKind(
    description: "syslogNG, local stream",
    open: { _ in
      let server = try SyslogServer(.syslogNG)
      let sink = try SyslogSink(server.stream, options: SyslogOptions(standard: .rfc3164))
      return SocketSubject(sink, SyslogReceiver(server, "<14>Jan  2 03:04:05 tree-ring: "))
    }, canStall: true, canFail: true)

  private static let journald = SinkKind(
    description: "systemd-journald",
    open: { _ in
      let server = try JournaldServer()
      return SocketSubject(try JournalSink(path: server.socket), server)
    }, canStall: true, canFail: true)
}

/// A daemon that is given lines, each behind a header.
private final class SyslogReceiver: Receiver {
  private let server: SyslogServer
  private let header: String

  init(_ server: SyslogServer, _ header: String) {
    self.server = server
    self.header = header
  }

  deinit { server.stop() }

  func spelled(_ lines: Lines) -> [UInt8] { lines.each(header) }

  func wait(for count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<200 {
      // What counts is bytes, and each message has one at least.
      bytes = try server.messages(0).flatMap { Array($0.msg.utf8) + [0x0A] }
      if bytes.count >= count { break }
      usleep(50_000)
    }
    return bytes
  }

  var isPaused: Bool {
    get { server.isPaused }
    set { server.isPaused = newValue }
  }
  func close() { server.stop() }
  func open() throws { try server.start() }
}
