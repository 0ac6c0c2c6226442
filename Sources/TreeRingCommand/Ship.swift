import ArgumentParser
import LogShipper
import ProcessSupervisor
import TreeRing

/// Reading a configuration file for two commands.
struct ConfigurationOption: ParsableArguments {
  @Option(name: .customLong("config"), help: "The configuration file (YAML).")
  var path: String

  /// The configuration, or exit code 78 with one line that names file, line and key.
  func load() throws -> ShipperConfiguration {
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
}

/// `treering ship`: the daemon.
struct Ship: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ship records from rings to an archive, in the foreground.",
    discussion: """
      SIGTERM or SIGINT delivers what is there and stops. The smallest configuration:

        data_dir: /var/lib/treering
        inputs:  { app: { type: rings } }
        outputs: { archive: { type: file, path: "archive/%Y-%m-%d.ndjson" } }
      """)

  @OptionGroup var file: ConfigurationOption

  func run() throws {
    let configuration = try file.load()
    let pipeline: Pipeline
    do { pipeline = try Pipeline(configuration, complain: Console.complain) } catch {
      Console.complain("\(error)")
      throw ExitCode.configurationError
    }
    ShippingSignals.stop(pipeline)
    pipeline.run()
  }
}

/// `treering check`: a configuration, before it is used.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Validate a configuration; changes nothing.", discussion: "Names file, line and key of what is wrong.")

  @OptionGroup var file: ConfigurationOption

  func run() throws {
    let configuration = try file.load()
    for input in configuration.inputs {
      guard (try? Syscalls.status(ofPath: input.directory)) != nil else { continue }
      do { try RingDirectory.check(input.directory) } catch {
        Console.complain("inputs.\(input.name): \(error)")
        throw ExitCode.configurationError
      }
    }
    Console.print(
      "\(file.path): \(configuration.inputs.count) inputs, \(configuration.outputs.count) outputs, nothing wrong")
  }
}
