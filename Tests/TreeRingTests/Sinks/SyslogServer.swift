import Foundation
import Glibc
import TestSupport

@testable import TreeRing

/// A real syslog daemon that a test starts on ports and sockets of its own. What it has understood of each message it writes into a file, as JSON.
final class SyslogServer {
  enum Program: String, CaseIterable, Sendable { case rsyslog, syslogNG }
  enum Transport: CaseIterable, Sendable { case local, udp, tcp }

  /// One message as the daemon read it.
  struct Message: Decodable, Equatable {
    var facility = ""
    var severity = ""
    var host = ""
    var app = ""
    var pid = ""
    var id = ""
    var data = ""
    var msg = ""
  }

  struct NotReady: Error { let log: String }

  let program: Program
  private let directory: TemporaryDirectory
  private let tcp = FreePort.find(SOCK_STREAM)
  private let udp = FreePort.find(SOCK_DGRAM)
  private let oldUDP = FreePort.find(SOCK_DGRAM)
  private var process: ChildProcess?

  /// Starts it.
  init(_ program: Program) throws {
    self.program = program
    directory = try TemporaryDirectory()
    let configuration = program == .rsyslog ? rsyslog : syslogNG
    try Data(configuration.utf8).write(to: URL(fileURLWithPath: directory.file("conf")))
    try start()
  }

  /// Where a sink sends messages of `standard`.
  func target(_ transport: Transport, _ standard: SyslogOptions.Standard) -> SyslogTarget {
    switch transport {
    case .local: .local(path: directory.file(standard == .rfc5424 ? "new" : "old"))
    case .udp: .udp(host: "127.0.0.1", port: standard == .rfc5424 || program == .rsyslog ? udp : oldUDP)
    case .tcp: .tcp(host: "localhost", port: tcp)
    }
  }

  /// A stream socket that takes messages as glibc's `syslog(3)` sends them. Only syslog-ng has one.
  var stream: SyslogTarget { .local(path: directory.file("stream")) }

  /// Where it writes what it has understood.
  var output: String { directory.file("out") }

  /// Whether it stands still, and reads nothing.
  var isPaused = false {
    didSet { process?.kill(isPaused ? SIGSTOP : SIGCONT) }
  }

  /// Ends it in an orderly way.
  func stop() {
    process?.kill(SIGTERM)
    process?.kill(SIGCONT)
    process?.wait()
    process = nil
  }

  /// Starts it on the ports and sockets that it had.
  func start() throws {
    switch program {
    case .rsyslog:
      process = try ChildProcess(
        "/usr/sbin/rsyslogd", ["-n", "-f", directory.file("conf"), "-i", directory.file("pid")],
        errors: directory.file("log"))
    case .syslogNG:
      let root = try Self.syslogNGRoot()
      process = try ChildProcess(
        root + "/usr/sbin/syslog-ng",
        [
          "-F", "-f", directory.file("conf"), "--module-path=\(root)/usr/lib/syslog-ng/3.38", "--no-caps",
          "-R", directory.file("persist"), "-c", directory.file("ctl"), "-p", directory.file("pid"),
        ],
        environment: ["LD_LIBRARY_PATH": root + "/usr/lib/syslog-ng"], errors: directory.file("log"))
    }
    try waitUntilReady()
  }

  /// Debian's rsyslog and syslog-ng exclude each other, so `Tests/run` only unpacks the second.
  private static func syslogNGRoot() throws -> String {
    let unpacked = BuiltProducts.directory + "/../../syslog-ng"
    for root in [unpacked, ""] where FileManager.default.isExecutableFile(atPath: root + "/usr/sbin/syslog-ng") {
      return root
    }
    throw NotReady(log: "no syslog-ng in \(unpacked): run Tests/run once")
  }

  private func waitUntilReady() throws {
    for _ in 0..<1000 {
      let udpPorts = Self.boundUDPPorts()
      let sockets = ["new", "old"].allSatisfy { FileManager.default.fileExists(atPath: directory.file($0)) }
      if sockets, udpPorts.contains(udp), program == .rsyslog || udpPorts.contains(oldUDP), FreePort.answers(tcp) {
        return
      }
      usleep(20_000)
    }
    throw NotReady(log: process?.errors ?? "")
  }

  private static func boundUDPPorts() -> Set<UInt16> {
    let table = Syscalls.contents(of: "/proc/net/udp", limit: 1 << 20) ?? []
    let lines = String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst()
    return Set(
      lines.compactMap { $0.split(separator: " ")[1].split(separator: ":").last.flatMap { UInt16($0, radix: 16) } })
  }

  /// What it has understood so far, after waiting for `count` messages, twenty seconds at most.
  func messages(_ count: Int) throws -> [Message] {
    var lines: [Data.SubSequence] = []
    for _ in 0..<1000 {
      let data = (try? Data(contentsOf: URL(fileURLWithPath: output))) ?? Data()
      lines = data.split(separator: UInt8(ascii: "\n"))
      if lines.count >= count, data.isEmpty || data.last == UInt8(ascii: "\n") { break }
      usleep(20_000)
    }
    return try lines.map { try JSONDecoder().decode(Message.self, from: $0) }
  }

  private var rsyslog: String {
    """
    global(workDirectory="\(directory.path)" maxMessageSize="64k")
    module(load="imudp")
    module(load="imtcp")
    module(load="imuxsock" SysSock.Use="off")
    input(type="imudp" address="127.0.0.1" port="\(udp)" rcvbufSize="8m")
    input(type="imtcp" address="127.0.0.1" port="\(tcp)")
    input(type="imuxsock" Socket="\(directory.file("new"))" useSpecialParser="off" parseHostname="on" RateLimit.Interval="0")
    input(type="imuxsock" Socket="\(directory.file("old"))" RateLimit.Interval="0")
    template(name="all" type="list" option.jsonf="on") {
      property(outname="facility" name="syslogfacility" format="jsonf")
      property(outname="severity" name="syslogseverity" format="jsonf")
      property(outname="host" name="hostname" format="jsonf")
      property(outname="app" name="app-name" format="jsonf")
      property(outname="pid" name="procid" format="jsonf")
      property(outname="id" name="msgid" format="jsonf")
      property(outname="data" name="structured-data" format="jsonf")
      property(outname="msg" name="msg" format="jsonf")
    }
    action(type="omfile" file="\(output)" template="all" asyncWriting="off" flushOnTXEnd="on")

    """
  }

  private var syslogNG: String {
    """
    @version: 3.38
    options { keep-hostname(yes); use-dns(no); dns-cache(no); flush-lines(1); log-msg-size(65536); };
    source all {
      network(ip("127.0.0.1") port(\(udp)) transport("udp") so-rcvbuf(8388608) flags(syslog-protocol));
      network(ip("127.0.0.1") port(\(oldUDP)) transport("udp"));
      syslog(ip("127.0.0.1") port(\(tcp)) transport("tcp"));
      unix-dgram("\(directory.file("new"))" flags(syslog-protocol) persist-name("new"));
      unix-dgram("\(directory.file("old"))" persist-name("old"));
      unix-stream("\(directory.file("stream"))");
    };
    destination out {
      file("\(output)" template("$(format-json facility=$FACILITY_NUM severity=$LEVEL_NUM host=$HOST app=$PROGRAM \
    pid=$PID id=$MSGID data=$SDATA msg=$MSG)\\n"));
    };
    log { source(all); destination(out); };

    """
  }
}
