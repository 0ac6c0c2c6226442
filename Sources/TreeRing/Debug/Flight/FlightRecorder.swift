import CTreeRing
import Glibc

/// Debug lines that are kept, and written only if something fails.
///
/// ```swift
/// try await FlightRecorder.withRecording {
///   try await handle(request)          // its debug lines are in the log if this throws, and nowhere if it does not
/// }
/// ```
///
/// The lines are those of channels that are off; those that are on are in the log anyway. A task and its children share one recording; an inner one
/// keeps its lines to itself.
public enum FlightRecorder {
  @TaskLocal static var lines: FlightLines?

  /// Does `body`, keeps the last `limit` lines that channels which are off say meanwhile in this task and its children, and writes them, oldest first, when `body`
  /// throws. Each is a record as its channel would have written it, with one field more: `recorded`, the time at which it was said. A line of more than 768
  /// bytes is cut.
  ///
  /// Cost: 1 KiB of memory for each line that is kept. While any recording is open, and ten seconds longer, each call of a channel that is off is written
  /// and copied, some 250 ns.
  public nonisolated(nonsending) static func withRecording<Result>(
    limit: Int = 128, _ body: nonisolated(nonsending) () async throws -> Result
  ) async rethrows -> Result {
    let lines = FlightLines(limit: limit)
    Aside.enter()
    defer { Aside.leave() }
    do {
      return try await Self.$lines.withValue(lines) { try await body() }
    } catch {
      lines.write()
      throw error
    }
  }

  /// Does `body`, keeps its last lines, and writes them when it throws; the same for code that does not wait.
  public static func withRecording<Result>(limit: Int = 128, _ body: () throws -> Result) rethrows -> Result {
    let lines = FlightLines(limit: limit)
    Aside.enter()
    defer { Aside.leave() }
    do {
      return try Self.$lines.withValue(lines) { try body() }
    } catch {
      lines.write()
      throw error
    }
  }
}

/// The lines of one recording. Any thread.
@safe
final class FlightLines: @unchecked Sendable {  // constants; the memory they point at is written as FlightSlots tells
  let slots: FlightSlots
  private let size: Int

  /// - Parameter limit: lines that are kept; from 1 to 4,096.
  init(limit: Int) {
    let count = min(max(limit, 1), 4096)
    size = count * Int(TR_FLIGHT_SLOT)
    // Of the kernel's zeros: what no line reaches is never touched.
    guard let memory = unsafe calloc(size + 64, 1) else { preconditionFailure("no memory for \(count) debug lines") }
    let counter = unsafe (memory + size).bindMemory(to: UInt64.self, capacity: 1)
    unsafe slots = FlightSlots(memory: memory, counter: counter, count: count)
  }

  deinit { unsafe free(slots.memory) }

  /// What is kept, oldest first.
  var all: [FlightLine] {
    let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: slots.memory, count: size))
    return FlightLine.all(in: bytes[...])
  }

  /// Writes the lines as records, whatever is off.
  func write() {
    guard LogSystem.isStartedOrStarts() else { return }
    for line in all {
      unsafe line.record.withUnsafeBytes { record in
        let size = unsafe min(record.count, Int(record.loadUnaligned(as: TRRecord.self).size))
        unsafe CallPath.write(kept: UnsafeRawBufferPointer(rebasing: record[..<size]), time: line.time)
      }
    }
  }
}
