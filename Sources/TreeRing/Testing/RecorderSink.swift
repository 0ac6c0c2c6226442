/// Hands what the drain delivers to a ``LogRecorder``: records as their JSON tells them, and the drain's own notices.
final class RecorderSink: Sink {
  let name = "recorder:"
  let format = LogFormat.json
  let colours = false
  let level: Level
  private let recorder: LogRecorder

  init(_ recorder: LogRecorder, level: Level) {
    self.recorder = recorder
    self.level = level
  }

  func intent(length: Int) -> SinkIntent { .stream }

  func write(_ bytes: UnsafeRawBufferPointer) {
    var lines = LineSplitter()
    lines.split(unsafe Array(bytes)) { line in
      if let record = ViewedRecord(line: line, keepsJSON: false) { recorder.append(record.log) }
    }
  }

  func synchronise() {}
}

extension SinkConfiguration {
  /// A recorder: the process's records come to it on their way through rings and writer, and so do the notices of records that were dropped. For a test of a
  /// whole program; ``LogSystem/flush()`` returns when everything is there. Values are those of JSON: a duration is a number of seconds.
  public static func recorder(_ recorder: LogRecorder, level: Level = .trace) -> Self {
    Self(target: .recorder(recorder), level: level)
  }
}

extension LogRecorder: Equatable {
  /// Whether both are the same recorder.
  public static func == (left: LogRecorder, right: LogRecorder) -> Bool { left === right }
}
