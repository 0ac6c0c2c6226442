internal import Logging
internal import TreeRing

extension RecordPlace {
  /// Writes where an event was logged. Allocates when the module's name is long.
  func writing(sourceOf event: LogEvent) -> RecordPlace {
    writing { writer in
      event.source.write(to: &writer, key: "source.module", fieldOnly: true)
      event.file.write(to: &writer, key: "source.file", fieldOnly: true)
      event.function.write(to: &writer, key: "source.function", fieldOnly: true)
      event.line.write(to: &writer, key: "source.line", fieldOnly: true)
    }
  }
}
