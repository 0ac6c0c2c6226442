internal import Logging
internal import TreeRing

extension RecordWriter {
  /// Writes where an event was logged. Allocates when the module's name is long.
  mutating func write(sourceOf event: LogEvent) {
    event.source.write(to: &self, key: "source.module", fieldOnly: true)
    event.file.write(to: &self, key: "source.file", fieldOnly: true)
    event.function.write(to: &self, key: "source.function", fieldOnly: true)
    event.line.write(to: &self, key: "source.line", fieldOnly: true)
  }
}
