import ArgumentParser
import Glibc
import TreeRing

/// `treering tail`: what is being logged, now.
struct Tail: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Follow what running processes log, or files of NDJSON.",
    discussion: """
      Without FILE: the rings of every process that logs into the ring directory, live, whatever their sinks are. Nothing is taken from them and nothing is \
      slowed down; processes that come later are followed, too, and the end of one is told. A FILE may also be a directory of ring files, a ring file, a pipe, or - \
      for standard input. Rotated files are followed by name. Lines that are no records are shown as they are, unless a filter asks for what they do not have.

        treering tail --level warning
        treering tail --label 'shop:*' --label=-shop:cache --field 'duration_ms>100'
        treering tail --no-follow app.log | less -R
        treering tail --json | jq .msg
        treering tail --group --no-follow app.log
      """)

  @Argument(help: "Files of NDJSON, ring files, directories of ring files, or -.", completion: .file())
  var files: [String] = []

  @Option(
    name: [.customShort("n"), .long],
    help: "Begin with the last N lines. Default: 10; all with --no-follow or --group.")
  var lines: Int?

  @Flag(inversion: .prefixedNo, help: "Go on when the end is reached.")
  var follow = true

  @Flag(
    help: ArgumentHelp(
      "Show no records, but in the end, or when interrupted, how many there were of each text and level.",
      discussion: """
        Records of rings are counted by their text in the source: 'order {order.id} placed'. Files do not have that: there, words and numbers with digits count \
        as '#', and what stands in quotes as "…".
        """))
  var group = false

  @OptionGroup(title: "Filters") var filters: TailFilters
  @OptionGroup(title: "Looks") var looks: TailLooks

  func validate() throws {
    if let lines, lines < 0 { throw ValidationError("-n must not be negative, as in -n 20") }
    _ = try filters.filter()
  }

  func run() throws {
    let filter = try filters.filter()
    var sources: [any ViewSource] = []
    do {
      for path in files.isEmpty ? RingDirectory.nested(in: RingDirectory.configured()) : files {
        sources.append(try source(path, filter))
      }
      let printer = looks.printer(showsPID: showsRings, groups: group)
      try TailLoop(sources, printer).run(lines: lines ?? (follow && !group ? 10 : nil), follows: follow)
      printer.finish()
    } catch {
      Console.complain("\(error)")
      throw ExitCode.failure
    }
    let hasRefused = sources.contains { ($0 as? RingsView)?.hasRefused == true }
    if hasRefused { throw ExitCode.failure }
  }

  private var showsRings: Bool {
    files.isEmpty || files.contains { $0.hasSuffix(RingDirectory.suffix) || isDirectory($0) }
  }

  private var keepsJSON: Bool { looks.json && !group }

  private func source(_ path: String, _ filter: ViewFilter) throws(LogError) -> any ViewSource {
    if files.isEmpty || isDirectory(path) {
      return RingsView(directory: path, filter: filter, keepsJSON: keepsJSON, keepsTemplates: group)
    }
    if path.hasSuffix(RingDirectory.suffix) {
      return try RingsView(file: path, filter: filter, keepsJSON: keepsJSON, keepsTemplates: group)
    }
    return try FileView(path, filter: filter, keepsJSON: keepsJSON)
  }

  private func isDirectory(_ path: String) -> Bool {
    guard path != "-", let status = try? Syscalls.status(ofPath: path) else { return false }
    return status.st_mode & S_IFMT == S_IFDIR
  }
}

/// Which records are shown.
struct TailFilters: ParsableArguments {
  @Option(
    help: "Lowest level, or a list like info,http=debug.", completion: .list(Level.allCases.map(\.name)))
  var level: String?

  @Option(
    name: [.customShort("l"), .customLong("label"), .customLong("channel")], parsing: .unconditionalSingleValue,
    help:
      "Labels and debug channels, in the language of DEBUG: 'shop:*,-shop:cache'. May be repeated; skips alone keep the rest."
  )
  var labels: [String] = []

  @Option(
    name: [.customShort("F"), .customLong("field")], parsing: .unconditionalSingleValue,
    help:
      "A field: KEY (is there), KEY=VALUE (with * for anything), !=, or a comparison with a number: >, <, >=, <=. All must hold."
  )
  var fields: [String] = []

  @Option(help: "Processes. May be repeated.")
  var pid: [UInt32] = []

  @Option(
    name: .shortAndLong, parsing: .unconditional, help: "A regular expression that label, text or a field matches.")
  var grep: String?

  @Flag(help: "--grep takes upper and lower case for the same.")
  var ignoreCase = false

  func filter() throws -> ViewFilter {
    var filter = ViewFilter()
    if let level {
      guard let (lowest, rules) = LogConfiguration.parseLevels(level) else {
        throw ValidationError(
          "--level must be one of \(Level.allCases.map(\.name).joined(separator: ", ")), or a list like info,http=debug; not '\(level)'"
        )
      }
      filter.level = lowest ?? .trace
      filter.levels = rules
    }
    if !labels.isEmpty {
      let given = DebugFilter(parsing: labels.joined(separator: ","))
      filter.labels = given.names.isEmpty ? DebugFilter(parsing: "*," + given.spec) : given
    }
    filter.fields = try fields.map { text in
      guard let condition = FieldCondition(parsing: text) else {
        throw ValidationError(
          "--field must be KEY, KEY=VALUE, KEY!=VALUE, or a comparison such as 'duration_ms>100'; not '\(text)'")
      }
      return condition
    }
    filter.pids = Set(pid)
    filter.matchesText = try textFilter()
    return filter
  }

  private func textFilter() throws -> (@Sendable (String) -> Bool)? {
    guard let grep else { return nil }
    do { _ = try expression(grep) } catch {
      throw ValidationError("--grep is no regular expression: '\(grep)' (\(error))")
    }
    let ignoreCase = ignoreCase
    // A compiled expression is not Sendable: each thread that asks, which is one, makes its own.
    nonisolated(unsafe) let compiled = try expression(grep).ignoresCase(ignoreCase)
    return { text in unsafe (try? compiled.firstMatch(in: text)) != nil }
  }

  private func expression(_ text: String) throws -> Regex<AnyRegexOutput> { try Regex(text) }
}

/// How they are shown.
struct TailLooks: ParsableArguments {
  @Flag(help: "One JSON object per line, as the records' sinks write them.")
  var json = false

  @Option(help: "auto: on a terminal, unless NO_COLOR is set.")
  var color: ColorChoice = .auto

  @Option(help: "clock, full or none. Default: clock on a terminal, full elsewhere. Times are UTC.")
  var time: ConsoleView.TimeColumn?

  @Flag(name: .shortAndLong, help: "End each line with the time since the last one of its label or channel.")
  var intervals = false

  @Flag(name: [.customShort("a"), .long], help: "Show fields whose values the text has already.")
  var allFields = false

  @Flag(help: "Show each record's process. Always on for rings.")
  var showPid = false

  enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto
    case always
    case never
  }

  func printer(showsPID: Bool, groups: Bool) -> TailPrinter {
    var style = ConsoleView.Style()
    let hasColours = color == .always || color == .auto && Terminal.wantsColours(STDOUT_FILENO)
    style.colours = !hasColours ? .none : Terminal.hasManyColours ? .extended : .basic
    style.time = time ?? (isatty(STDOUT_FILENO) == 1 ? .clock : .full)
    style.showsPID = showsPID || showPid
    style.showsIntervals = intervals
    style.showsAllFields = allFields
    return TailPrinter(json ? nil : ConsoleView(style), groups: groups ? RecordGroups() : nil)
  }
}

extension ConsoleView.TimeColumn: ExpressibleByArgument {}
