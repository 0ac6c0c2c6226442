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
    }
  }
}
