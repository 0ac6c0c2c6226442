/// The environment variables `TREERING_…` and `DEBUG`.
extension LogConfiguration {
  /// What the environment asks for, to be changed and handed to ``LogSystem/start(_:)``.
  ///
  /// - Parameter debugVariable: the application's own variable for debug channels, such as `SHOP_DEBUG`. Where it is set, if only to nothing, `DEBUG` is not
  ///   looked at: it may be meant for others.
  public static func fromEnvironment(debugVariable: String? = nil) -> LogConfiguration {
    var configuration = environment()
    if let debugVariable, let debug = Syscalls.environment(debugVariable) {
      configuration.debug = debug
      configuration.debugSource = debugVariable
    }
    return configuration
  }

  /// What the environment asks for. A value that cannot be understood is told to `complain` in one line, with the allowed forms, and the default
  /// is used: logging never stops a program from starting.
  package static func environment(
    _ variable: (String) -> String? = Syscalls.environment, complain: (String) -> Void = Syscalls.complain
  ) -> LogConfiguration {
    var configuration = LogConfiguration()
    func read(_ name: String, _ expected: String, _ take: (String) -> Bool) {
      guard let value = variable(name), !value.isEmpty, !take(value) else { return }
      complain("\(name)=\(value.withoutControls) is not understood: expected \(expected); using the default")
    }
    read("TREERING_LEVEL", "a level (\(Level.names)) or a list like info,http=debug") {
      guard let (level, rules) = parseLevels($0) else { return false }
      configuration.level = level ?? configuration.level
      configuration.levels = rules
      return true
    }
    var format: LogFormat?
    read("TREERING_FORMAT", LogFormat.allCases.map(\.rawValue).joined(separator: ", ")) {
      format = LogFormat(rawValue: $0)
      return format != nil
    }
    read("TREERING_SINK", SinkConfiguration.forms) {
      guard let sinks = SinkConfiguration.parse(list: $0) else { return false }
      configuration.sinks = sinks
      return true
    }
    for index in configuration.sinks.indices where configuration.sinks[index].format == nil {
      configuration.sinks[index].format = format
    }
    read("TREERING_RING_SIZE", "bytes, 65536 to 1073741824, with an optional KiB or MiB") {
      guard let size = parseSize($0), 65_536...1_073_741_824 ~= size else { return false }
      configuration.ringSize = size
      return true
    }
    read("TREERING_WHEN_FULL", "drop or block") {
      guard let value = WhenFull(rawValue: $0) else { return false }
      configuration.whenFull = value
      return true
    }
    read("TREERING_WRITER", Self.writerForms) { configuration.readWriter($0) }
    read("TREERING_REDACT", "names of fields such as iban,-session to add and remove, or off") {
      guard let keys = RedactedKeys(parsing: $0) else { return false }
      configuration.redactedKeys = keys
      return true
    }
    read("TREERING_FLIGHT", "on or off") {
      configuration.flightRecorder = $0 == "on"
      return ["on", "off"].contains($0)
    }
    read("TREERING_CRASH", "on or off") {
      configuration.crashReports = $0 == "on"
      return ["on", "off"].contains($0)
    }
    configuration.directory = RingDirectory.named(variable)
    configuration.debug = variable("DEBUG")
    return configuration
  }

  /// `info,http=debug,shop.*=trace`; nil when any part is not understood, or there is none.
  package static func parseLevels(_ text: String) -> (Level?, [LevelRule])? {
    var level: Level?
    var rules: [LevelRule] = []
    for part in text.split(separator: ",") {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let parsed = Level(name: sides[sides.count - 1].trimmed) else { return nil }
      var prefix = sides.count == 1 ? "" : sides[0].trimmed
      if prefix.hasSuffix("*") { prefix.removeLast() }
      // What every label begins with is a rule for all of them.
      if prefix.isEmpty { level = parsed } else { rules.append(LevelRule(prefix: prefix, level: parsed)) }
    }
    return level == nil && rules.isEmpty ? nil : (level, rules)
  }

  /// `262144`, `256KiB`, `1MiB`, `1MB`.
  package static func parseSize(_ text: String) -> Int? {
    let units: [(String, Int)] = [
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000),
    ]
    let unit = units.first { text.hasSuffix($0.0) }
    guard let number = Int(text.dropLast(unit?.0.count ?? 0)), number >= 0 else { return nil }
    let (size, overflow) = number.multipliedReportingOverflow(by: unit?.1 ?? 1)
    return overflow ? nil : size
  }
}

extension Level {
  static var names: String { allCases.map(\.name).joined(separator: ", ") }
}

extension StringProtocol {
  /// Without blanks at both ends.
  var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
