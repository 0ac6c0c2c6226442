import CTreeRing
import Synchronization

/// Debug lines that are kept, and written only if something fails.
///
/// ```swift
/// try await FlightRecorder.withRecording {
///   try await handle(request)          // its debug lines are in the log if this throws, and nowhere if it does not
/// }
/// ```
///
/// The lines are those of channels that are off; those that are on are in the log anyway. A task and its children share one recording.
public enum FlightRecorder {
  @TaskLocal static var lines: FlightLines?

  /// Does `body`, keeps the last `limit` lines that channels which are off say meanwhile in this task and its children, and writes them, oldest first, when `body`
  /// throws. Each is a record of its channel, its text beginning with the time it was said.
  ///
  /// Cost: a line costs about a microsecond and its text; from the first use on, each call of a channel that is off looks at its task.
  public nonisolated(nonsending) static func withRecording<Result>(
    limit: Int = 256, _ body: nonisolated(nonsending) () async throws -> Result
  ) async throws -> Result {
    Aside.want()
    let lines = FlightLines(limit: limit)
    do {
      return try await Self.$lines.withValue(lines) { try await body() }
    } catch {
      lines.write()
      throw error
    }
  }
}

/// The lines of one recording. Any thread.
final class FlightLines: Sendable {
  private let limit: Int
  private let kept = Mutex<[(channel: String, text: String)]>([])

  init(limit: Int) { self.limit = max(limit, 1) }

  /// Keeps a line; the oldest goes when there are too many.
  func append(_ channel: String, _ text: String) {
    kept.withLock { kept in
      // In blocks: an array is slow at its front.
      if kept.count >= 2 * limit { kept.removeFirst(limit) }
      kept.append((channel, text))
    }
  }

  /// What is kept, oldest first.
  var all: [(channel: String, text: String)] { kept.withLock { Array($0.suffix(limit)) } }

  /// Writes the lines as records, whatever is off.
  func write() {
    for line in all {
      let name = NameTable.shared.intern(line.channel)
      let text = line.text.hasSuffix("\n") ? String(line.text.dropLast()) : line.text
      CallPath.record(
        level: .debug, flags: RecordFlags.channel, name: name, label: CallPath.label(name, nil), context: nil,
        text: { LogText(string: text) }, error: { nil }, fields: { $0["recorded"] = true })
    }
  }
}
