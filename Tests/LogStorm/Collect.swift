import Glibc
import TreeRing

/// Drains another process's rings into a file, until that process is gone and everything is written.
///
///     LogStorm collect RING-FILE OUTPUT [BATCH POINT]
///
/// With a batch and a point it kills itself with SIGKILL while that batch is written: `before` its first byte, at its `half`, or `after` its last byte,
/// when nothing has been released yet.
///
/// Exit code 0: finished; 1: the file cannot be collected. Says `attached` once it is the consumer, and how the journal was settled.
enum Collect {
  static func run() {
    let (path, output) = (LogStorm.argument(2) ?? "", LogStorm.argument(3) ?? "")
    let point = LogStorm.argument(5).flatMap(MortalSink.Point.init)
    do {
      let collector = try RingCollector(path: path) { _ in
        let file = try FileSink(path: output)
        return [point.map { MortalSink(file, batch: LogStorm.argument(4, default: 1), point: $0) } ?? file]
      }
      LogStorm.say("attached \(collector.settlement)")
      var step = collector.step()
      while step != .finished {
        if step == .idle { usleep(200) }
        // A test that has gone away takes its collectors with it.
        if getppid() == 1 { exit(1) }
        step = collector.step()
      }
      LogStorm.say("finished \(collector.counters.records)")
    } catch {
      LogStorm.say("\(error)")
      exit(1)
    }
  }
}

/// A file in whose middle its process dies.
private final class MortalSink: Sink {
  enum Point: String {
    case before
    case half
    case after
  }

  private let file: FileSink
  private let point: Point
  private var batches: Int

  init(_ file: FileSink, batch: Int, point: Point) {
    self.file = file
    self.point = point
    batches = batch
  }

  var format: LogFormat { file.format }
  var colours: Bool { file.colours }
  var level: Level { file.level }
  func intent(length: Int) throws(Errno) -> SinkIntent { try file.intent(length: length) }
  func synchronise() { file.synchronise() }

  func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    batches -= 1
    guard batches == 0 else { return try unsafe file.write(bytes) }
    switch point {
    case .before: break
    case .half: try unsafe file.write(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]))
    case .after: try unsafe file.write(bytes)
    }
    _ = kill(getpid(), SIGKILL)
  }
}
