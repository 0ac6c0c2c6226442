import TestSupport

@testable import TreeRing

/// Keeps what it takes, and fails as it is told to.
final class FaultySink: Sink {
  let name: String
  let format = LogFormat.json
  let colours = false
  let level: Level
  private(set) var bytes: [UInt8] = []
  private(set) var reopenings = 0
  /// Thrown instead of taking anything, until the next reopening succeeds.
  var failure: Errno?
  /// Whether an error is final.
  var isMortal = false
  /// Bytes that it still takes before its reader stops reading.
  var room = Int.max
  /// Called while it takes a batch: what others do meanwhile.
  var meanwhile: (() -> Void)?

  init(_ name: String = "faulty:", level: Level = .trace) {
    self.name = name
    self.level = level
  }

  func intent(length: Int) -> SinkIntent { .stream }
  func write(_ batch: UnsafeRawBufferPointer) throws(Errno) { _ = try unsafe accept(batch, patienceMilliseconds: 0) }
  func accept(_ batch: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    meanwhile?()
    if let failure { throw failure }
    let count = min(room, batch.count)
    unsafe bytes.append(contentsOf: batch[..<count])
    room -= count
    return count
  }
  func reopen() throws(Errno) -> Bool {
    reopenings += 1
    if let failure { throw failure }
    return true
  }
  func canReturn(after error: Errno) -> Bool { !isMortal }
  func synchronise() {}

  /// Its whole lines.
  func records() throws -> [JSONRecord] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw JSONRecord.UnreadableLine(line: "invalid UTF-8")
    }
    guard text.isEmpty || text.hasSuffix("\n") else { throw JSONRecord.UnreadableLine(line: "no end of the last line") }
    return try text.split(separator: "\n").map { try JSONRecord(line: $0) }
  }

  /// The messages, in order.
  func messages() throws -> [String] { try records().map { $0.msg ?? "" } }
}
