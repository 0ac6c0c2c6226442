import Glibc

extension SinkConfiguration {
  /// Opens the sink. Blocking.
  package func open() throws(LogError) -> any Sink {
    switch target {
    case .standardError: StreamSink(descriptor: STDERR_FILENO, format: format, level: level)
    case .standardOutput: StreamSink(descriptor: STDOUT_FILENO, format: format, level: level)
    case .file(let path, let options): try FileSink(path: path, format: format, level: level, options: options)
    case .syslog(let target, let options):
      try SyslogSink(target, options: options, format: format, level: level)
    case .journald(let path, let options):
      try JournalSink(path: path, options: options, format: format, level: level)
    case .null: NullSink(level: level)
    case .fifo(let path): try FIFOSink(path: path, format: format, level: level)
    case .recorder(let recorder): RecorderSink(recorder, level: level)
    case .exec(let arguments): try ExecSink(arguments: arguments, format: format, level: level)
    }
  }

  /// Opens the sink, with its place in the journal and what it takes.
  package func route(slot: Int) throws(LogError) -> SinkRoute { route(try open(), slot: slot) }

  /// The same for a sink that is open.
  package func route(_ sink: any Sink, slot: Int) -> SinkRoute {
    SinkRoute(sink, slot: slot, labels: LabelFilter(labels), backlogLimit: backlog)
  }
}
