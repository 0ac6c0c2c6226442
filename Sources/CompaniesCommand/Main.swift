import ArgumentParser
import Companies
import Glibc
import LogShipper
import ProcessSupervisor
import TreeRing

/// The supervisor's process: it holds the socket, runs the workers, and takes their records out of shared memory.
struct Main {
  let place: Place
  let workers: Int

  /// Returns when the workers have stopped for good and every record is in the archive.
  func run() throws {
    let directory = place.directory
    // Archives, crash reports and rings are nobody else's business; workers inherit this.
    umask(0o027)
    try prepareData(directory)
    let rings = ringDirectory(directory)
    let listener = try listen()
    let address = listener.address
    let shipping = try ship(from: rings, to: directory)
    try startLogging(rings)
    let log = SupervisorLog(rings: rings)
    log.tellEarlierCrashes()
    let supervisor: Supervisor
    do {
      supervisor = try Supervisor(
        configuration(directory, rings), listener: listener, reporter: log)
    } catch {
      throw fail(error, .failure)
    }
    Syscalls.complain(
      "companies at http://\(address), \(workers) workers, archive in \(directory)/archive, rings in \(rings)")
    let code = supervisor.run()
    // Our own rings are closed first: then the shipper finds every stream at its end.
    LogSystem.stop()
    guard shipping.finish() else {
      throw fail(
        "stopped, but not every record is in the archive: the rest waits in \(rings) for the next start with this data directory",
        .failure)
    }
    if code != 0 { throw ExitCode(code) }
  }

  private func prepareData(_ directory: String) throws {
    do {
      try Application.prepare(dataDirectory: directory, staticFilesDirectory: place.staticFiles)
      try Syscalls.makeDirectories(directory + "/crashes", mode: 0o750)
    } catch let error as StartError {
      throw fail(error, error.isConfigurationError ? .configurationError : .failure)
    } catch {
      throw fail(
        "cannot use data directory \(directory): \(error); choose a directory this user can write", .configurationError)
    }
  }

  /// A directory of our own: a collector takes over every dead process it finds, and other programs' are not ours.
  private func ringDirectory(_ data: String) -> String {
    RingDirectory.named() ?? RingDirectory.standard() + "/companies-" + String(fingerprint(data), radix: 16)
  }

  /// FNV-1a, 64 bits: the same data directory finds its rings again at the next start.
  private func fingerprint(_ text: String) -> UInt64 {
    text.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
  }

  private func listen() throws -> ListeningSocket {
    do {
      return try ListeningSocket.bind("\(place.host):\(place.port)")
    } catch ListenError.invalidAddress(let text, let reason) {
      throw fail(ListenError.invalidAddress(text, reason: reason), ExitCode(64))
    } catch {
      throw fail(error, .failure)
    }
  }

  private func ship(from rings: String, to directory: String) throws -> PipelineThread {
    let configuration = ShipperConfiguration(
      dataDirectory: directory, inputs: [.init(name: "workers", directory: rings)],
      outputs: [.init(name: "archive", path: "archive/%Y-%m-%d.ndjson")])
    do {
      try RingDirectory.prepare(rings)
      return try Pipeline(configuration, complain: Syscalls.complain).start()
    } catch {
      throw fail("\(error)", .configurationError)
    }
  }

  private func startLogging(_ rings: String) throws {
    var configuration = LogConfiguration.environment()
    configuration.writer = .external
    configuration.directory = rings
    do { try LogSystem.start(configuration) } catch { throw fail(error, .failure) }
  }

  private func configuration(_ directory: String, _ rings: String) -> SupervisorConfiguration {
    var arguments = ["worker", "--data", directory]
    if let files = place.staticFiles { arguments += ["--static", files] }
    var environment = ["TREERING_WRITER": "external", "TREERING_DIR": rings]
    // The record of a crash has its frames and the last debug lines, whatever DEBUG says.
    for name in ["TREERING_CRASH", "TREERING_FLIGHT"] where Syscalls.environment(name) == nil {
      environment[name] = "on"
    }
    if Syscalls.environment("SWIFT_BACKTRACE") == nil { environment["SWIFT_BACKTRACE"] = backtraces(directory) }
    return SupervisorConfiguration(
      program: "/proc/self/exe", arguments: arguments, programName: "companies", workers: workers,
      environment: environment, expectsReady: true)
  }

  /// Symbolising takes a crashing worker seconds, with its sockets held open; a JSON report takes 40 ms, and can be symbolised later.
  private func backtraces(_ directory: String) -> String {
    "enable=yes,interactive=no,color=no,format=json,symbolicate=off,sanitize=yes,registers=none,"
      + "output-to=\(directory)/crashes/"
  }
}
