import CTreeRing
import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// What recovery makes of a file whose writer died in a batch, whatever happened to the file since.
@Suite struct FileArrivalTests {
  private let stream = "0123456789abcdef"
  private var batch: String {
    (0..<30).map { "{\"time\":\"t\($0)\",\"ring\":\"\(stream).0\",\"seq\":\($0)}\n" }.joined()
  }
  private var others: String { "{\"time\":\"x\",\"ring\":\"fedcba9876543210.0\",\"seq\":1}\n" }

  /// A journalled batch behind `before`, as a sink says it; nothing of it is written.
  private func journalled(_ fixture: FileSinkFixture, after before: String = "before\n", _ batch: String? = nil) throws
    -> TRIntent
  {
    let batch = batch ?? self.batch
    try before.write(toFile: fixture.path, atomically: false, encoding: .utf8)
    let sink = try fixture.open()
    guard case .file(let path, let device, let inode, let birth, let offset) = try sink.intent(length: batch.utf8.count)
    else { throw Errno(EINVAL) }
    var intent = TRIntent()
    intent.kind = UInt32(IntentKind.file)
    (intent.device, intent.inode, intent.birth, intent.offset) = (device, inode, birth, offset)
    intent.length = UInt64(batch.utf8.count)
    unsafe Array(batch.utf8).withUnsafeBytes { unsafe BatchMark($0).store(in: &intent) }
    unsafe RingFile.copy(Array(path.utf8), to: UnsafeMutableRawPointer(tr_intent_path(&intent)), 1023)
    return intent
  }

  private func append(_ text: some StringProtocol, to fixture: FileSinkFixture, _ name: String = "a.log") throws {
    let file = try #require(FileHandle(forWritingAtPath: fixture.directory.file(name)))
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  private func settle(_ intent: TRIntent) throws -> FileArrival.Verdict {
    let arrival = FileArrival(intent, owner: geteuid(), stream: stream)
    if arrival.verdict != .arrived { try arrival.undo() }
    return arrival.verdict
  }

  /// One of two files has the batch, the other has not: it comes again, to both.
  @Test func aBatchThatArrivedCanBeTakenBackUntilOthersWrite() throws {
    let fixture = try FileSinkFixture()
    let intent = try journalled(fixture)
    try append(batch, to: fixture)
    try append(others, to: fixture)
    let kept = FileArrival(intent, owner: geteuid(), stream: stream)
    try kept.undo()
    #expect(kept.verdict == .arrived && !kept.canUndo)
    #expect(try fixture.text() == "before\n" + batch + others)
    unsafe truncate(fixture.path, off_t(7 + batch.utf8.count))
    let last = FileArrival(intent, owner: geteuid(), stream: stream)
    try last.undo()
    #expect(last.verdict == .arrived && last.canUndo)
    #expect(try fixture.text() == "before\n")
  }

  @Test func aBatchIsThereOrIsTakenBack() throws {
    for length in [0, 1, 63, 64, 65, 500, batch.utf8.count - 1] {
      let fixture = try FileSinkFixture()
      let intent = try journalled(fixture)
      try append(batch.prefix(length), to: fixture)
      #expect(try settle(intent) == .missing)
      #expect(try fixture.text() == "before\n", "after \(length) bytes")
    }
    let fixture = try FileSinkFixture()
    let intent = try journalled(fixture)
    try append(batch, to: fixture)
    #expect(try settle(intent) == .arrived)
    try append(others, to: fixture)
    #expect(try settle(intent) == .arrived, "others may have written since")
    #expect(try fixture.text() == "before\n" + batch + others)
  }

  /// The length alone would say that the batch has arrived, and it would be lost.
  @Test func othersLinesDoNotPassForTheBatch() throws {
    let fixture = try FileSinkFixture()
    let intent = try journalled(fixture)
    let theirs = String(repeating: others, count: 100)
    try append(theirs, to: fixture)
    #expect(try settle(intent) == .missing)
    #expect(try fixture.text() == "before\n" + theirs, "and are not cut off")
  }

  /// The length alone would say that a part has arrived, and would cut off what another wrote.
  @Test func othersLinesBehindAPartAreKept() throws {
    for part in [batch.prefix(200) + "\n", batch.prefix { $0 != "\n" } + "\n"] {
      let fixture = try FileSinkFixture()
      let intent = try journalled(fixture)
      try append(part + others, to: fixture)
      #expect(try settle(intent) == .unknown)
      #expect(try fixture.text() == "before\n" + part + others)
    }
  }

  @Test func isFoundUnderAnotherName() throws {
    for name in ["a.log.1", "a.log-20261123", "a.log.20261123T120000.000Z"] {
      let fixture = try FileSinkFixture()
      let intent = try journalled(fixture)
      try append(batch, to: fixture)
      unsafe rename(fixture.path, fixture.directory.file(name))
      try others.write(toFile: fixture.path, atomically: false, encoding: .utf8)
      #expect(try settle(intent) == .arrived)
      unsafe truncate(fixture.directory.file(name), 100)
      #expect(try settle(intent) == .missing)
      #expect(try fixture.text(name) == "before\n" && fixture.text() == others)
    }
  }

  @Test func aFileThatIsGoneIsUnknown() throws {
    let fixture = try FileSinkFixture()
    let intent = try journalled(fixture)
    unsafe unlink(fixture.path)
    #expect(try settle(intent) == .unknown)
    try (batch + batch).write(toFile: fixture.path, atomically: false, encoding: .utf8)
    #expect(try settle(intent) == .unknown, "another file, even when it gets the same inode number")
    #expect(try fixture.text() == batch + batch)
  }

  /// Cut by logrotate, then written on by others, shorter and longer than before.
  @Test func aFileThatWasCutIsNotMisread() throws {
    let before = String(repeating: "before\n", count: 50)
    for after in ["", others, String(repeating: others, count: 200)] {
      let fixture = try FileSinkFixture()
      let intent = try journalled(fixture, after: before)
      try append(batch, to: fixture)
      unsafe truncate(fixture.path, 0)
      try append(after, to: fixture)
      #expect(try settle(intent) == .missing)
      #expect(try fixture.text() == after)
    }
  }

  /// Formats for people do not name the stream: a cut batch is still taken back.
  @Test func aFormatWithoutStreamsIsTakenBack() throws {
    let lines = (0..<30).map { "12:00:00.00\($0) info  order \($0) placed\n" }.joined()
    let fixture = try FileSinkFixture()
    let intent = try journalled(fixture, lines)
    try append(lines.prefix(300), to: fixture)
    #expect(try settle(intent) == .missing)
    #expect(try fixture.text() == "before\n")
  }

  @Test func anotherUsersFileIsNotTouched() throws {
    let fixture = try FileSinkFixture()
    let intent = try journalled(fixture)
    try append(batch.prefix(100), to: fixture)
    let arrival = FileArrival(intent, owner: geteuid() + 1, stream: stream)
    try arrival.undo()
    #expect(arrival.verdict == .unknown)
    #expect(try fixture.text() == "before\n" + batch.prefix(100))
  }
}
