/// What a ring file has to know of the sinks, so that whoever finds it after a crash can finish the files.
extension SinkConfiguration {
  /// The sinks' URLs, one a line, as `parse(list:)` reads them; nil when they have more than `limit` bytes even without what recovery can do without.
  ///
  /// Recovery finishes files, and knows each by its place in the list: where the room is short the others are only places (`null:`).
  static func list(of sinks: [SinkConfiguration], within limit: Int) -> String? {
    let whole = sinks.map(\.url).joined(separator: "\n")
    if whole.utf8.count <= limit { return whole }
    let files = sinks.map { sink in
      if case .file = sink.target { sink.url } else { SinkConfiguration.null.url }
    }.joined(separator: "\n")
    return files.utf8.count <= limit ? files : nil
  }

  /// This sink with an absolute path. Whoever recovers the file stands in another directory as a rule, and the program itself may go to another one before it
  /// puts the file aside or starts its child again.
  ///
  /// - Parameter directory: where a relative path begins.
  func anchored(at directory: String) -> SinkConfiguration {
    var copy = self
    switch target {
    case .file(let path, let options): copy.target = .file(path.anchored(at: directory), options)
    case .fifo(let path): copy.target = .fifo(path.anchored(at: directory))
    // Without a slash it is looked for on `PATH`.
    case .exec(var arguments) where arguments.first?.contains("/") == true:
      arguments[0] = arguments[0].anchored(at: directory)
      copy.target = .exec(arguments)
    default: break
    }
    return copy
  }
}

extension LogConfiguration {
  /// This configuration with absolute paths: the program may change its working directory at any time.
  ///
  /// - Parameter directory: the working directory; nil, where it has been removed or cannot be named, changes nothing.
  func anchored(at directory: String?) -> LogConfiguration {
    guard let directory else { return self }
    var copy = self
    copy.sinks = sinks.map { $0.anchored(at: directory) }
    copy.directory = copy.directory?.anchored(at: directory)
    return copy
  }
}

extension String {
  /// This path, from the root. An empty one stays: it is somebody's mistake, which is told where the path is used.
  fileprivate func anchored(at directory: String) -> String {
    if hasPrefix("/") || isEmpty { return self }
    return directory.hasSuffix("/") ? directory + self : directory + "/" + self
  }
}
