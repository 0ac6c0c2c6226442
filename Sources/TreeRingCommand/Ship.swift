import ArgumentParser
import LogShipper
import TreeRing

/// Reading a configuration file for two commands.
struct ConfigurationOption: ParsableArguments {
  @Option(name: .customLong("config"), help: "The configuration file (YAML).")
  var path: String

  /// The configuration, or exit code 78 with one line that names file, line and key.
  private func load() throws -> ShipperConfiguration {
    guard let bytes = Syscalls.contents(of: path, limit: 1 << 20) else {
      Console.complain("cannot read the configuration \(path): check the path and its permissions")
      throw ExitCode.configurationError
    }
    do {
      return try ShipperConfiguration(yaml: String(decoding: bytes, as: UTF8.self), file: path)
    } catch {
      Console.complain("\(error)")
      throw ExitCode.configurationError
    }
  }

  /// The same, with a look at the places it names.
  func loadUsable() throws -> ShipperConfiguration {
    let configuration = try load()
    let problems = configuration.problems
    guard problems.isEmpty else {
      problems.forEach { Console.complain("\($0)") }
      throw ExitCode.configurationError
    }
    return configuration
  }
}

/// `treering ship`: the daemon.
struct Ship: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ship records from rings to an archive, in the foreground.",
    discussion: """
      SIGTERM or SIGINT delivers what is there and stops: exit code 0, or 1 when records had to stay in their rings (for the next start). SIGHUP reads the \
      configuration again; when it cannot be used, that is told, and the old one stays. Speaks sd_notify. The smallest configuration:

        data_dir: /var/lib/treering
        inputs:  { app: { type: rings } }
        outputs: { archive: { type: file, path: "archive/%Y-%m-%d.ndjson" } }

      An input without dir: reads the rings in $TREERING_DIR, or in the standard place.
      """)

  @OptionGroup var file: ConfigurationOption

  func run() throws {
    let signals = ShippingSignals()
    let manager = ServiceManager()
    var pipeline = try open()
    manager.tellReady()
    while signals.run(pipeline) == .reload {
      manager.tellReloading()
      // What is wrong was told, and the old one goes on.
      if let new = try? open() { pipeline = new }
      manager.tellReady()
    }
    manager.tellStopping()
    guard pipeline.isComplete else {
      Console.complain("stopped, but not every record is delivered: the rest waits in the rings for the next start")
      throw ExitCode.failure
    }
  }

  /// The pipeline of the configuration as it is now, or exit code 78 with a line for each thing that is wrong.
  private func open() throws -> Pipeline {
    let configuration = try file.loadUsable()
    do { return try Pipeline(configuration, complain: Console.complain) } catch {
      Console.complain("\(error)")
      throw ExitCode.configurationError
    }
  }
}

/// `treering check`: a configuration, before it is used.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Validate a configuration; changes nothing.",
    discussion: "Names file, line and key of what is wrong, and looks whether directories and files can be used.")

  @OptionGroup var file: ConfigurationOption

  func run() throws {
    let configuration = try file.loadUsable()
    Console.print(
      "\(file.path): \(configuration.inputs.count) inputs, \(configuration.outputs.count) outputs, nothing wrong")
  }
}
