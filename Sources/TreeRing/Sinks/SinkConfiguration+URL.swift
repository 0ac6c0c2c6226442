import CTreeRing

extension SinkConfiguration {
  static let forms =
    "one to four sink URLs separated by blanks: stderr: stdout: file:/path fifo:/path syslog:/dev/log syslog+udp://host:514 "
    + "syslog+tcp://host:601 journald: null: exec:PROGRAM ARGUMENTS (the last one), each with "
    + "?format=\(LogFormat.allCases.map(\.rawValue).joined(separator: "|"))&level=LEVEL&labels=LABEL,LABEL&backlog=1MiB; "
    + "file: with \(FileOptions.forms); syslog with \(SyslogOptions.forms)"

  /// Sink URLs separated by blanks; nil when one is not understood. `exec:` goes on to the end of its line, of which an environment variable has one.
  package static func parse(list: String) -> [SinkConfiguration]? {
    var sinks: [SinkConfiguration] = []
    for url in list.split(separator: "\n").flatMap(urls(of:)) {
      guard let sink = parse(url: SinkURL(parsing: url)) else { return nil }
      sinks.append(sink)
    }
    return 1...Int(TR_MAX_SINKS) ~= sinks.count ? sinks : nil
  }

  private static func urls(of line: Substring) -> [String] {
    var urls: [String] = []
    var rest = line.drop { $0 == " " }
    while !rest.isEmpty {
      let url = rest.hasPrefix("exec:") ? rest : rest.prefix { $0 != " " }
      urls.append(String(url))
      rest = rest[url.endIndex...].drop { $0 == " " }
    }
    return urls
  }

  private static func parse(url: SinkURL?) -> SinkConfiguration? {
    guard var url, let target = Target(&url) else { return nil }
    var sink = SinkConfiguration(target: target)
    if let name = url.take("format") {
      guard let format = LogFormat(rawValue: name) else { return nil }
      sink.format = format
    }
    if let name = url.take("level") {
      guard let level = Level(name: name) else { return nil }
      sink.level = level
    }
    if let list = url.take("labels") {
      sink.labels = list.split(separator: ",").map(String.init)
      if sink.labels.isEmpty { return nil }
    }
    if let text = url.take("backlog") {
      guard let bytes = LogConfiguration.parseSize(text) else { return nil }
      sink.backlog = bytes
    }
    // An option that nobody took is a mistake of the person who wrote it.
    return url.options.isEmpty ? sink : nil
  }

  /// The URL that `parse(list:)` reads back.
  package var url: String {
    var url = target.url
    if let format { url.options.append(("format", format.rawValue)) }
    if level != .trace { url.options.append(("level", level.name)) }
    if !labels.isEmpty { url.options.append(("labels", labels.joined(separator: ","))) }
    if backlog != SinkRoute.standardBacklog { url.options.append(("backlog", String(backlog))) }
    return url.text
  }
}

extension SinkConfiguration.Target {
  /// The target that a URL names, with its own options taken out; nil when the URL is not understood.
  init?(_ url: inout SinkURL) {
    switch url.scheme {
    case "stderr" where url.path.isEmpty: self = .standardError
    case "stdout" where url.path.isEmpty: self = .standardOutput
    case "null" where url.path.isEmpty: self = .null
    case "file" where !url.path.isEmpty:
      guard let options = FileOptions(&url) else { return nil }
      self = .file(url.path, options)
    case "fifo" where !url.path.isEmpty: self = .fifo(url.path)
    case "exec" where !url.arguments.isEmpty: self = .exec(url.arguments)
    case "journald" where url.path.isEmpty || url.path.hasPrefix("/"):
      guard let options = SyslogOptions(&url) else { return nil }
      self = .journald(path: url.path.isEmpty ? JournalSink.standardPath : url.path, options)
    default:
      guard let target = SyslogTarget(url), let options = SyslogOptions(&url) else { return nil }
      self = .syslog(target, options)
    }
  }

  /// The URL that names this target.
  var url: SinkURL {
    switch self {
    case .standardError: SinkURL(scheme: "stderr")
    case .standardOutput: SinkURL(scheme: "stdout")
    // Memory that is gone has no name: to recovery it is nothing.
    case .null, .recorder: SinkURL(scheme: "null")
    case .fifo(let path): SinkURL(scheme: "fifo", path: path)
    case .exec(let arguments): SinkURL(scheme: "exec", arguments: arguments)
    case .file(let path, let options): options.url(of: path)
    case .syslog(let target, let options): options.url(of: target.url)
    case .journald(let path, let options):
      options.url(of: SinkURL(scheme: "journald", path: path == JournalSink.standardPath ? "" : path))
    }
  }
}
