import ArgumentParser
import Companies
import Glibc
import LogShipper
import ProcessSupervisor
import TreeRing

/// `companies`: the whole system in one command.
@main
struct CompaniesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "companies",
    abstract: "A small production HTTP server: supervisor, workers, and their records in an archive.",
    discussion: """
      Serves companies from SQLite. Every record that a worker commits survives the worker and is in DIR/archive/ exactly once:

        companies --port 8080 --data /tmp/c
        curl http://127.0.0.1:8080/companies/1
        treering verify --live /tmp/c/archive/*

      APP_ENV=production makes errors terse. COMPANIES_CHAOS=1 adds /chaos/trap, /chaos/abort, /chaos/hang and /chaos/error.
      Exit codes: 0 stopped as asked, 1 failed, 64 wrong usage, 78 configuration error.
      """,
    version: "0.1.0",
    subcommands: [Worker.self])

  @OptionGroup var place: Place

  @Option(help: "Worker processes.")
  var workers = 2

  func validate() throws {
    guard (1...512).contains(workers) else { throw ValidationError("--workers must be from 1 to 512, not \(workers)") }
  }

  func run() async throws {
    try Main(place: place, workers: workers).run()
  }
}

/// Where the server listens and keeps its data, for the command and for its workers.
struct Place: ParsableArguments {
  @Option(help: "Port; 0 takes any free one.")
  var port: UInt16 = 8080

  @Option(help: "Address to listen on.")
  var host = "127.0.0.1"

  @Option(name: .customLong("data"), help: "Directory for the database, the archive and crash reports.")
  var data = Place.standardDirectory

  @Option(name: .customLong("static"), help: "Directory of static files; without it there is one embedded page.")
  var staticFiles: String?

  private static var standardDirectory: String {
    if let state = Syscalls.environment("XDG_STATE_HOME"), !state.isEmpty { return state + "/companies" }
    if let home = Syscalls.environment("HOME"), !home.isEmpty { return home + "/.local/state/companies" }
    return "/var/lib/companies"
  }

  /// The data directory as an absolute path.
  var directory: String {
    if data.hasPrefix("/") { return data }
    var buffer = [CChar](repeating: 0, count: 4096)
    guard unsafe getcwd(&buffer, buffer.count) != nil else { return data }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) + "/" + data
  }
}

extension ExitCode {
  /// sysexits(3) `EX_CONFIG`.
  static let configurationError = ExitCode(78)
}

/// One clear line, and the exit code that belongs to it.
func fail(_ reason: some CustomStringConvertible, _ code: ExitCode) -> ExitCode {
  Syscalls.complain("\(reason)")
  return code
}
