import Glibc

extension SinkConfiguration {
  /// Opens the sink. Blocking.
  package func open() throws(LogError) -> any Sink {
    switch target {
    case .standardError: StreamSink(descriptor: STDERR_FILENO, format: format, level: level)
    case .standardOutput: StreamSink(descriptor: STDOUT_FILENO, format: format, level: level)
    case .file(let path, let options): try FileSink(path: path, format: format, level: level, options: options)
    case .null: NullSink(level: level)
    }
  }
}
