import Testing

@testable import TreeRing

/// The variables of the contract: what each value means, and that one which means nothing is told once and never stops a program.
@Suite struct EnvironmentTests {
  private func read(_ variables: [String: String]) -> (LogConfiguration, complaints: [String]) {
    var complaints: [String] = []
    let configuration = LogConfiguration.environment({ variables[$0] }) { complaints.append($0) }
    return (configuration, complaints)
  }

  @Test func nothingSetIsTheDefault() {
    let (configuration, complaints) = read([:])
    #expect(complaints == [])
    #expect(configuration.level == .info && configuration.levels == [])
    #expect(configuration.sinks == [.standardError()])
    #expect(configuration.ringSize == 262_144 && configuration.whenFull == .drop && configuration.writer == .thread)
    #expect(configuration.directory == nil && configuration.debug == nil)
  }

  @Test func emptyIsUnset() {
    let names = [
      "TREERING_LEVEL", "TREERING_SINK", "TREERING_FORMAT", "TREERING_DIR", "TREERING_RING_SIZE", "TREERING_WHEN_FULL",
      "TREERING_WRITER",
    ]
    let (configuration, complaints) = read(Dictionary(uniqueKeysWithValues: names.map { ($0, "") }))
    #expect(complaints == [])
    #expect(configuration.sinks == [.standardError()] && configuration.level == .info && configuration.directory == nil)
  }

  /// One line that names the variable, the value, and what is allowed; and then the default.
  @Test(arguments: [
    ("TREERING_LEVEL", "loud", "warning"), ("TREERING_LEVEL", "info,http=loud", "info,http=debug"),
    ("TREERING_LEVEL", "=", "critical"), ("TREERING_LEVEL", ",", "critical"), ("TREERING_FORMAT", "xml", "json"),
    ("TREERING_FORMAT", "JSON5", "console"),
    ("TREERING_SINK", "/var/log/a.log", "file:"), ("TREERING_SINK", "file:", "file:"),
    ("TREERING_SINK", "nope:", "stderr:"),
    ("TREERING_SINK", "stderr: oops", "null:"), ("TREERING_SINK", "file:/a?level=loud", "level=LEVEL"),
    ("TREERING_SINK", "file:/a?format=xml", "format="), ("TREERING_SINK", "file:/a?colour=red", "file:"),
    ("TREERING_SINK", "null: null: null: null: null:", "null:"), ("TREERING_SINK", " ", "stderr:"),
    ("TREERING_RING_SIZE", "big", "65536"), ("TREERING_RING_SIZE", "1", "65536"),
    ("TREERING_RING_SIZE", "-65536", "KiB"),
    ("TREERING_RING_SIZE", "2GiB", "1073741824"), ("TREERING_RING_SIZE", "99999999999999999999", "65536"),
    ("TREERING_RING_SIZE", "9223372036854775807GiB", "65536"), ("TREERING_RING_SIZE", "64 KiB", "KiB"),
    ("TREERING_WHEN_FULL", "wait", "drop or block"), ("TREERING_WRITER", "me", "thread or external"),
  ])
  func aBadValueIsToldOnce(variable: String, value: String, allowed: String) {
    let (configuration, complaints) = read([variable: value])
    #expect(complaints.count == 1)
    let line = complaints.first ?? ""
    #expect(line.contains("\(variable)=\(value)") && line.contains(allowed) && !line.contains("\n"), "\(line)")
    #expect(configuration.level == .info && configuration.levels == [] && configuration.sinks == [.standardError()])
    #expect(configuration.ringSize == 262_144 && configuration.whenFull == .drop && configuration.writer == .thread)
  }

  @Test func aValueCannotSteerTheTerminal() {
    let (_, complaints) = read(["TREERING_LEVEL": "\u{1B}[2Jloud\n"])
    #expect(complaints.count == 1 && complaints.allSatisfy { $0.contains("TREERING_LEVEL=?[2Jloud?") }, "\(complaints)")
  }

  /// Every label begins with nothing.
  @Test(arguments: ["*=debug", "=debug", "debug"])
  func aRuleForEveryLabelIsTheLevel(text: String) {
    let (configuration, complaints) = read(["TREERING_LEVEL": text])
    #expect(configuration.level == .debug && configuration.levels == [] && complaints == [])
  }

  @Test func everyBadVariableHasItsOwnLine() {
    let (_, complaints) = read(["TREERING_LEVEL": "x", "TREERING_SINK": "x", "TREERING_WRITER": "x"])
    #expect(complaints.count == 3)
  }

  @Test func levels() {
    #expect(read(["TREERING_LEVEL": "debug"]).0.level == .debug)
    #expect(read(["TREERING_LEVEL": "WARN"]).0.level == .warning)
    let (configuration, complaints) = read(["TREERING_LEVEL": "notice, http=debug ,shop.*=trace"])
    #expect(complaints == [])
    #expect(configuration.level == .notice)
    #expect(
      configuration.levels == [.init(prefix: "http", level: .debug), .init(prefix: "shop.", level: .trace)]
        || configuration.levels == [.init(prefix: "http", level: .debug), .init(prefix: "shop", level: .trace)])
  }

  @Test func theLongestPrefixWins() {
    func threshold(_ label: StaticString, _ text: String) -> UInt8? {
      let configuration = read(["TREERING_LEVEL": text]).0
      let policy = LogPolicy(level: configuration.level, rules: configuration.levels, filter: .off)
      return policy.threshold(of: LogKey(stringLiteral: label))
    }
    for text in ["info,http=debug,http.server=error", "info,http.server=error,http=debug"] {
      #expect(threshold("http", text) == Level.debug.rawValue)
      #expect(threshold("http.client", text) == Level.debug.rawValue)
      #expect(threshold("http.server", text) == Level.error.rawValue)
      #expect(threshold("http.server.tls", text) == Level.error.rawValue)
      #expect(threshold("other", text) == Level.info.rawValue)
      #expect(threshold("", text) == Level.info.rawValue)
    }
    #expect(threshold("shop.cart", "info,shop.*=trace") == Level.trace.rawValue)
    #expect(threshold("shop", "info,shop.*=trace") == Level.trace.rawValue, "`shop.*` covers `shop`, too")
    #expect(threshold("anything", "info,*=error") == Level.error.rawValue)
  }

  @Test func sinks() {
    let (configuration, complaints) = read([
      "TREERING_SINK": "stderr:?format=console file:/var/log/a%20b.log?level=warning&format=json null: stdout:"
    ])
    #expect(complaints == [])
    #expect(
      configuration.sinks == [
        .standardError(format: .console), .file("/var/log/a b.log", format: .json, level: .warning), .null,
        .standardOutput(),
      ])
  }

  /// A child process takes the rest of the value; a blank in one of its arguments is spelled `%20`, and a question mark `%3F`.
  @Test func aChildProcessComesLast() {
    let value = "fifo:/run/a.fifo?labels=http,shop.*&backlog=64KiB  exec:lnav -q a%20b%3Fc?format=logfmt&level=error"
    let (configuration, complaints) = read(["TREERING_SINK": value])
    #expect(complaints == [])
    #expect(
      configuration.sinks == [
        .fifo("/run/a.fifo").only(labels: "http", "shop.*").keeping(backlog: 65_536),
        .exec(["lnav", "-q", "a b?c"], format: .logfmt, level: .error),
      ])
  }

  @Test(arguments: ["exec:", "exec:  ", "fifo:", "null:?labels=", "null:?backlog=many", "null:?backlog=-1"])
  func aSinkThatCannotBeIsRefused(url: String) {
    let (configuration, complaints) = read(["TREERING_SINK": url])
    #expect(complaints.count == 1 && configuration.sinks == [.standardError()], "\(complaints)")
  }

  /// A ring file names its sinks one a line, so that a child process need not be the last of them.
  @Test func sinksOfARingFileAreReadBack() {
    let sinks: [SinkConfiguration] = [
      .exec(["a b", "c?d"]), .file("/x").only(labels: "http"), .exec(["e"], level: .error), .fifo("/a b"),
    ]
    #expect(SinkConfiguration.parse(list: sinks.map(\.url).joined(separator: "\n")) == sinks)
  }

  /// What a ring file's header says of its sinks is read back as the same sinks.
  @Test func aSinkIsReadBackFromItsURL() {
    let sinks: [SinkConfiguration] = [
      .standardError(), .standardOutput(format: .console, level: .error), .null, .file("/a b/c?d%e&f.log"),
      .file("/ä/\n\t%20", format: .json, level: .debug), .file("relative"),
    ]
    for sink in sinks { #expect(SinkConfiguration.parse(list: sink.url) == [sink], "\(sink.url)") }
  }

  @Test func formatIsForSinksThatHaveNone() {
    let sinks = read(["TREERING_FORMAT": "json", "TREERING_SINK": "stderr: stdout:?format=console"]).0.sinks
    #expect(sinks.map(\.format) == [.json, .console])
    #expect(read(["TREERING_FORMAT": "console"]).0.sinks.map(\.format) == [.console])
  }

  @Test(arguments: [
    ("65536", 65_536), ("64KiB", 65_536), ("1MiB", 1 << 20), ("1MB", 1_000_000), ("1GiB", 1 << 30), ("100KB", 100_000),
  ])
  func ringSizes(text: String, bytes: Int) {
    let (configuration, complaints) = read(["TREERING_RING_SIZE": text])
    #expect(configuration.ringSize == bytes && complaints == [])
  }

  @Test func theOthers() {
    let (configuration, complaints) = read([
      "TREERING_WHEN_FULL": "block", "TREERING_WRITER": "external", "TREERING_DIR": "/run/x", "DEBUG": "shop:*",
    ])
    #expect(complaints == [])
    #expect(configuration.whenFull == .block && configuration.writer == .external)
    #expect(configuration.directory == "/run/x" && configuration.debug == "shop:*")
  }

  @Test func theStandardDirectory() {
    func standard(_ variables: [String: String]) -> String { RingDirectory.standard { variables[$0] } }
    #expect(standard(["RUNTIME_DIRECTORY": "/run/a:/run/b", "XDG_RUNTIME_DIR": "/run/user/1"]) == "/run/a/treering")
    #expect(standard(["XDG_RUNTIME_DIR": "/run/user/1"]) == "/run/user/1/treering")
    #expect(standard([:]).hasPrefix("/dev/shm/treering-"))
  }
}
