import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Hosts and name servers that say nothing: whoever writes to another sink does not notice.
@Suite(.serialized) struct HostConnectionTests {
  @Test(arguments: ["127.0.0.1", "::1"])
  func digitsAreAnsweredAtOnce(host: String) throws {
    let lookup = try HostLookup(host: host, port: 514, SOCK_DGRAM)
    #expect(try lookup.addresses(withinMilliseconds: 0)?.count == 1)
  }

  @Test func aNameIsLookedUp() throws {
    let lookup = try HostLookup(host: "localhost", port: 514, SOCK_STREAM)
    #expect(try lookup.addresses(withinMilliseconds: 20_000)?.isEmpty == false)
    #expect(try lookup.addresses(withinMilliseconds: 0)?.isEmpty == false, "an answer stays")
  }

  /// Two dots in a row: no name server has to be asked.
  @Test func aNameWithoutAddressIsNamed() throws {
    let sink = try SyslogSink(.tcp(host: "a..b", port: 601))
    let error = try #require(SinkFeeder(sink).firstError(feeding: Array("line\n".utf8)))
    #expect(error.code == EHOSTUNREACH)
    #expect(sink.describe(error).hasPrefix("cannot resolve a..b: "), "\(sink.describe(error))")
  }

  /// The kernel throws away the requests of a peer whose queue is full, as a firewall does.
  @Test func aHostThatDoesNotAnswerIsNotWaitedFor() throws {
    let port = FreePort.find(SOCK_STREAM)
    let silent = try SilentServer(port)
    let sink = try SyslogSink(.tcp(host: "127.0.0.1", port: port))
    let line = Array("12 a line\n".utf8)
    for _ in 0..<5 {
      let taken = try unsafe line.withUnsafeBytes { try unsafe sink.accept($0, patienceMilliseconds: 1) }
      #expect(taken == 0)
      #expect(sink.describe(.wouldBlock) == "it does not answer")
    }
    #expect(try sink.reopen(), "nor does a new attempt wait")
    // As soon as it answers the same attempt comes through: the kernel asks again after a second.
    silent.answer()
    try SinkFeeder(sink).deliver(line)
    #expect(silent.received() == "9 12 a line")
  }

  @Test func theNextAddressIsTriedWhenOneRefuses() throws {
    // Nobody is at this port over IPv6, and somebody over IPv4, or the other way round: localhost has both here, or one.
    let port = FreePort.find(SOCK_STREAM)
    let reader = try SocketReader(.tcp(port))
    let sink = try SyslogSink(.tcp(host: "localhost", port: port))
    try SinkFeeder(sink).deliver(Array("line\n".utf8))
    #expect(reader.wait(for: 5) == Array("line\n".utf8))
  }

  /// A name server that never answers, in a mount namespace of the program's own. The resolver asks again after half a minute: before that the file has what was
  /// logged, and nobody has waited.
  @Test func aNameServerThatDoesNotAnswerHoldsNobodyUp() throws {
    let directory = try TemporaryDirectory()
    guard let server = SilentNameServer() else { return }
    let resolver = "nameserver \(server.address)\noptions timeout:30\n"
    try Data(resolver.utf8).write(to: URL(fileURLWithPath: directory.file("resolv.conf")))
    try Data("hosts: dns\n".utf8).write(to: URL(fileURLWithPath: directory.file("nsswitch.conf")))
    let script = """
      for f in resolv nsswitch; do mount --bind '\(directory.path)'/$f.conf $(readlink -f /etc/$f.conf) || exit 9; done; "$@"
      """
    let within = ["unshare", "-m", "--", "sh", "-c", script, "sh"]
    let probe = try ChildProcess(
      "/usr/bin/unshare", Array(within.dropFirst()) + ["true"], errors: directory.file("probe"))
    guard probe.wait() == .exit(0) else {
      return print("not run: a silent name server: no mount namespace can be made here: \(probe.errors)")
    }
    let log = directory.file("log")
    let run = try PacedRun(directory, sinks: "syslog+tcp://tree-ring.invalid:601 file:\(log)", within: within)
    PacedRun.wait(for: "the question for the name") { server.questions > 0 }
    PacedRun.waitForGrowth(of: log, by: 100_000)
    #expect(server.questions <= 2, "the resolver has given up once before a line was written")
    PacedRun.wait(for: "the notice") {
      (try? String(contentsOfFile: log, encoding: .utf8))?.contains("the resolver has not answered") == true
    }
    let latency = try run.finish()
    let account = StreamAccount(try JSONRecord.read(log))
    #expect(account.faults == [] && account.records.count == latency.calls)
    #expect(account.outages.map(\.msg) == ["sink failed"])
  }
}

/// Listens, and lets the kernel's queue of connections be full until it is told to answer.
private final class SilentServer {
  private let listening: Int32
  private let filler: Int32
  private var connection: Int32 = -1

  init(_ port: UInt16) throws {
    let (listening, filler) = (Self.socket(), Self.socket())
    (self.listening, self.filler) = (listening, filler)
    let isReady = unsafe FreePort.withAddress(port) {
      unsafe bind(listening, $0, $1) == 0 && listen(listening, 0) == 0 && connect(filler, $0, $1) == 0
    }
    guard isReady else { throw Errno.current }
  }

  deinit { for descriptor in [listening, filler, connection] where descriptor >= 0 { close(descriptor) } }

  private static func socket() -> Int32 {
    Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  }

  /// Takes the connection that fills the queue.
  func answer() { close(accept(listening, nil, nil)) }

  /// What the next connection has to say, ten seconds at most.
  func received() -> String {
    var poll = pollfd(fd: listening, events: Int16(POLLIN), revents: 0)
    guard unsafe Glibc.poll(&poll, 1, 10_000) > 0 else { return "" }
    connection = accept(listening, nil, nil)
    var bytes = [UInt8](repeating: 0, count: 100)
    let count = unsafe recv(connection, &bytes, bytes.count, 0)
    return String(decoding: bytes[..<max(count, 0)], as: UTF8.self)
  }
}

/// Takes questions at the port of name servers, on a loopback address of its own, and answers none.
private final class SilentNameServer {
  let address = "127.53.53.53"
  private let descriptor: Int32
  private var count = 0

  /// Nil, with a line that says so, where the port cannot be had.
  init?() {
    descriptor = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = FreePort.address(53)
    address.sin_addr.s_addr = UInt32(0x7F35_3535).bigEndian
    let descriptor = descriptor
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      print("not run: a silent name server: port 53 cannot be had: \(Errno.current)")
      return nil
    }
  }

  deinit { close(descriptor) }

  /// How many have come so far. The resolver asks for both kinds of addresses at once.
  var questions: Int {
    var bytes = [UInt8](repeating: 0, count: 512)
    while unsafe recv(descriptor, &bytes, bytes.count, 0) > 0 { count += 1 }
    return count
  }
}
