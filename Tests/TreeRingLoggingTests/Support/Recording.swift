import Foundation
import Logging
import Synchronization
import TestSupport
import TreeRing
import TreeRingLogging

/// What this process's loggers write: logging runs once for all tests of a process, into one file, and a test finds its own records by its label.
struct Recording {
  private let file: String
  private let consoleFile: String

  /// Labels below `quiet` have the level error, those below `chatty` trace; all others info.
  static let shared = Result { try Recording() }

  private init() throws {
    let directory = NSTemporaryDirectory() + "treering-test-" + UUID().uuidString
    file = directory + "/records.ndjson"
    consoleFile = directory + "/records.txt"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    Self.leftover.withLock { $0 = directory }
    _ = atexit { Recording.leftover.withLock { $0.map { _ = try? FileManager.default.removeItem(atPath: $0) } } }
    // Room for all that the tests of a thread log, should the writer's own thread stand still meanwhile.
    try LogSystem.start(
      LogConfiguration(
        levels: [.init(prefix: "quiet", level: .error), .init(prefix: "chatty", level: .trace)],
        sinks: [.file(file), .file(consoleFile, format: .console)], directory: directory, ringSize: 8 << 20))
  }

  private static let leftover = Mutex<String?>(nil)

  /// Every whole line of the file that has `label` as its logger.
  func records(of label: String) throws -> [JSONRecord] {
    try Self.lines(of: file, with: "\"logger\":\"\(label)\"").map { try JSONRecord(line: $0) }
  }

  /// The same records as people read them.
  func consoleLines(of label: String) throws -> [String] { try Self.lines(of: consoleFile, with: " \(label) ") }

  /// Another test's lines may be on their way; those of this test have arrived.
  private static func lines(of file: String, with text: String) throws -> [String] {
    LogSystem.flush()
    let lines = try Data(contentsOf: URL(fileURLWithPath: file)).split(separator: UInt8(ascii: "\n"))
    return try lines.filter { $0.range(of: Data(text.utf8)) != nil }.map { line in
      guard let line = String(validating: line, as: UTF8.self) else { throw NotUTF8(file: file, text: text) }
      return line
    }
  }

  /// A line that is not text.
  struct NotUTF8: Error {
    let file: String
    let text: String
  }
}

/// A logger with a label that no other test has, and its records.
struct RecordedLogger {
  let label: String
  var logger: Logging.Logger
  private let recording: Recording

  /// - Parameter family: the beginning of the label, for its configured level.
  init(_ family: String = "test", provider: Logging.Logger.MetadataProvider? = nil) throws {
    recording = try Recording.shared.get()
    label = family + "." + UUID().uuidString
    logger = Logging.Logger(label: label) { TreeRingLogHandler(label: $0, metadataProvider: provider) }
  }

  /// What has been logged so far.
  func records() throws -> [JSONRecord] { try recording.records(of: label) }

  /// The same, as people read it: what follows the label.
  func consoleTexts() throws -> [String] {
    try recording.consoleLines(of: label).map { line in
      String(line[(line.range(of: label)?.upperBound ?? line.startIndex)...].drop { $0 == " " })
    }
  }

  /// The one record that has been logged.
  func onlyRecord() throws -> JSONRecord {
    let records = try records()
    guard let first = records.first, records.count == 1 else { throw NotOne(records: records) }
    return first
  }

  /// No record, or several.
  struct NotOne: Error {
    let records: [JSONRecord]
  }
}

extension JSONRecord {
  /// The names of the fields that the call gave: what the library adds to every record is left out.
  var ownFields: Set<String> {
    Set(object.keys).subtracting(["time", "level", "logger", "msg", "pid", "ring", "seq"])
  }

  /// A nested object.
  func object(_ name: String) -> [String: Any]? { object[name] as? [String: Any] }
}
