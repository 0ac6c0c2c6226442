import CBenchmark
import TreeRing

/// How fast records reach their destination, and how long one takes. One subject a process.
///
///     WriterThroughputBenchmark SUBJECT FOLDER
///
/// Subjects: `treering-console`, `treering-json`, `treering-console-small` (rings of the default size), `swift-log`; `format-` and the name of a format;
/// `sink-null`, `sink-file`, `sink-fifo`, `sink-syslog`, `sink-journald`. Files, sockets and rings are in FOLDER. `BENCHMARK_MESSAGES` says how many records. The protocols
/// are in `CBenchmark`.
@main
enum WriterThroughputBenchmark {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else {
      unsafe bm_fail("usage: WriterThroughputBenchmark SUBJECT FOLDER", 64)
    }
    try run(arguments[1], folder: arguments[2])
  }

  static func run(_ subject: String, folder: String) throws {
    if subject == "swift-log" { return StreamSubject.run(file: folder + "/log") }
    guard let subject = Subject(named: subject, folder: folder) else {
      unsafe bm_fail("no such subject: \(subject)", 64)
    }
    try subject.run(ringsIn: folder + "/rings")
  }
}
