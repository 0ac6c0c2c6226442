import Foundation
import Glibc
import TestSupport
import Testing

/// The daemon as a service manager sees it.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ShipTests {
  private let directory: TemporaryDirectory
  private var file: String { directory.file("ship.yaml") }

  init() throws { directory = try TemporaryDirectory() }

  private func configure(archive: String) throws {
    try """
    data_dir: \(directory.path)/data
    inputs:
      app: { type: rings, dir: \(directory.path)/rings }
    outputs:
      archive: { type: file, path: \(archive) }
    """.write(toFile: file, atomically: true, encoding: .utf8)
  }

  private func log(_ records: Int) throws {
    let variables = ["TREERING_DIR": directory.file("rings"), "TREERING_WRITER": "external"]
    let storm = try ChildProcess(BuiltProducts.release("LogStorm"), ["1", "\(records)"], environment: variables)
    #expect(storm.wait() == .exit(0))
  }

  private func lines(_ name: String) -> Int {
    (try? String(contentsOfFile: directory.file("data/" + name), encoding: .utf8))?.split(separator: "\n").count ?? 0
  }

  @Test func itTellsItsManagerAndReadsItsConfigurationAgain() throws {
    let manager = try NotifySocket(directory.file("notify"))
    try configure(archive: "first.ndjson")
    let ship = try ChildProcess(
      BuiltProducts.release("treering"), ["ship", "--config", file], environment: ["NOTIFY_SOCKET": manager.path],
      errors: directory.file("errors"))
    #expect(manager.next() == "READY=1")
    try log(10)
    #expect(waitUntil(seconds: 30) { lines("first.ndjson") >= 12 })

    try configure(archive: "second.ndjson")
    ship.kill(SIGHUP)
    #expect(manager.next()?.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") == true)
    #expect(manager.next() == "READY=1")
    try log(10)
    #expect(waitUntil(seconds: 30) { lines("second.ndjson") >= 12 })

    // One that cannot be used is told, and the old one goes on.
    try configure(archive: "[")
    ship.kill(SIGHUP)
    #expect(manager.next()?.hasPrefix("RELOADING=1\n") == true)
    #expect(manager.next() == "READY=1")
    #expect(ship.errors.contains("ship.yaml"), "\(ship.errors)")
    try log(10)
    #expect(waitUntil(seconds: 30) { lines("second.ndjson") >= 24 })

    ship.kill(SIGTERM)
    #expect(manager.next() == "STOPPING=1")
    #expect(ship.wait() == .exit(0), "\(ship.errors)")
    let files = ["first", "second"].map { directory.file("data/\($0).ndjson") }
    let verdict = try TreeRing.run(program: "treering", ["verify"] + files, in: directory.path)
    #expect(verdict.code == 0 && verdict.last.hasPrefix("emitted 36 delivered 36 "), "\(verdict.output)")
  }

  @Test func whatCannotBeUsedIsNamedBeforeAnythingIsDone() throws {
    // That nothing can be made in /proc, only an attempt shows.
    for (archive, command) in [("ship.yaml/a", "check"), ("ship.yaml/a", "ship"), ("/proc/none/a", "ship")] {
      try configure(archive: archive.hasPrefix("/") ? archive : directory.file(archive))
      let result = try TreeRing.run(program: "treering", [command, "--config", file], in: directory.path)
      #expect(result.code == 78)
      #expect(result.errors.contains("ship.yaml:5: outputs.archive.path: "), "\(result.errors)")
    }
    #expect(directory.names(in: "data") == [])
  }
}

/// What systemd is for its services: a socket for datagrams.
final class NotifySocket {
  let path: String
  private let descriptor: Int32

  init(_ path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    guard bound else { throw Companies.Failure(what: "cannot bind \(path): \(errno)") }
  }

  deinit { close(descriptor) }

  /// The next message; nil after 30 s without one.
  func next() -> String? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }
}
