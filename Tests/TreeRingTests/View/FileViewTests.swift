import Foundation
import Glibc
import TestSupport
import Testing

@testable import TreeRing

/// Files that grow, are rotated, are cut.
struct FileViewTests {
  private func line(_ number: Int, _ level: String = "info") -> String {
    #"{"time":"2026-01-02T03:04:05.\#(String(format: "%09d", number))Z","level":"\#(level)","logger":"l","msg":"\#(number)"}"#
      + "\n"
  }

  private func append(_ text: String, to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    unsafe #expect(
      Array(text.utf8).withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) } == text.utf8.count)
  }

  private func texts(_ items: [ViewItem]) -> [String] {
    items.map { item in
      switch item {
      case .record(let record): record.log.message
      case .line(let line, _): String(decoding: line, as: UTF8.self)
      case .notice(let notice): notice.word
      }
    }
  }

  private func look(_ view: FileView) -> [String] { texts(view.look(until: .max)) }

  @Test func theLastLinesThenWhatComes() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.log")
    try append((0..<1000).map { line($0) }.joined() + "a plain line\n", to: path)
    let view = try FileView(path, filter: ViewFilter(), keepsJSON: false)
    let items = try view.backlog(3)
    #expect(texts(items) == ["998", "999", "a plain line"])
    #expect(items.last?.time == items[1].time, "a plain line stands behind the record before it")
    #expect(look(view) == [] && !view.isBusy)
    try append(line(1000) + line(1001).prefix(20), to: path)
    #expect(look(view) == ["1000"] && view.isBusy)
    try append(String(line(1001).dropFirst(20)) + "\r\n\n", to: path)
    #expect(look(view) == ["1001"])
  }

  /// The last that are wanted, however far back they are, and however the blocks cut them.
  @Test func theLastWantedLines() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.log")
    var text = ""
    for number in 0..<8000 {
      text += line(number, number % 1000 == 7 ? "error" : "info")
      if number % 500 == 0 { text += String(repeating: "x", count: 70_000) + "\n" }
    }
    try append(text + line(9000, "error").dropLast(), to: path)
    var filter = ViewFilter()
    filter.level = .error
    let view = try FileView(path, filter: filter, keepsJSON: false)
    #expect(texts(try view.backlog(3)) == ["5007", "6007", "7007"])
    try append("\n", to: path)
    #expect(look(view) == ["9000"], "the line that was being written")
    #expect(texts(try FileView(path, filter: filter, keepsJSON: false).backlog(100)).count == 9)
    #expect(try FileView(path, filter: filter, keepsJSON: false).backlog(0).isEmpty)
  }

  @Test func aWholeFileIsReadFromItsBeginning() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.log")
    try append((0..<20_000).map { line($0) }.joined() + "no end", to: path)
    let view = try FileView(path, filter: ViewFilter(), keepsJSON: false)
    _ = try view.backlog(nil)
    var seen: [String] = []
    repeat { seen += look(view) } while view.isBusy
    seen += texts(view.finishLine())
    #expect(seen == (0..<20_000).map { "\($0)" } + ["no end"])
  }

  @Test func rotationLosesNothing() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.log")
    try append(line(0), to: path)
    let view = try FileView(path, filter: ViewFilter(), keepsJSON: false)
    #expect(texts(try view.backlog(10)) == ["0"])
    var seen: [String] = []
    for number in 1..<200 {
      try append(line(number), to: path)
      if number % 20 == 10 { #expect(unsafe rename(path, path + ".\(number)") == 0) }
      if number % 7 == 0 { seen += look(view) }
    }
    for _ in 0..<3 { seen += look(view) }
    // Of several rotations between two looks the files in between are other names by now.
    #expect(seen.contains("rotated"))
    let numbers = seen.compactMap(Int.init)
    #expect(numbers == (1..<200).map(\.self))
  }

  @Test func aFileThatIsCutBeginsAnew() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.log")
    try append(line(0) + line(1), to: path)
    let view = try FileView(path, filter: ViewFilter(), keepsJSON: false)
    _ = try view.backlog(10)
    #expect(unsafe truncate(path, 0) == 0)
    try append(line(2), to: path)
    #expect(look(view) == ["truncated", "2"])
    #expect(unsafe unlink(path) == 0)
    #expect(look(view) == [])
    try append(line(3), to: path)
    #expect(look(view) == ["rotated", "3"])
  }

  @Test func aVeryLongLineIsCut() throws {
    var lines: [Int] = []
    var splitter = LineSplitter()
    for _ in 0..<40 { splitter.split([UInt8](repeating: 0x61, count: 100_000)) { lines.append($0.count) } }
    splitter.split(Array("\nnext\n".utf8)) { lines.append($0.count) }
    #expect(lines == [LineSplitter.longestLine, 4])
  }

  /// Read from the end, a line that is longer than a block, or than a line may be, begins where it begins.
  @Test func aVeryLongLineNearTheEndIsOneLine() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("a.log")
    let long = "begin" + String(repeating: "x", count: LineSplitter.longestLine + 700_000)
    let open = "open" + String(repeating: "y", count: 600_000)
    try append(line(0) + long + "\n" + line(1) + open, to: path)
    for limit in [0, 3] {
      let view = try FileView(path, filter: ViewFilter(), keepsJSON: false)
      let seen = texts(try view.backlog(limit))
      #expect(seen == (limit == 0 ? [] : ["0", String(long.prefix(LineSplitter.longestLine)), "1"]))
      try append("!\n", to: path)
      #expect(look(view) == [open + "!"], "the line that was being written")
      #expect(unsafe truncate(path, off_t((line(0) + long + "\n" + line(1) + open).utf8.count)) == 0)
    }
  }

  @Test func whatCannotBeReadIsToldWithWhatToDo() throws {
    let directory = try TemporaryDirectory()
    try Data([0x1F, 0x8B, 8, 0, 0, 0]).write(to: URL(fileURLWithPath: directory.file("a.gz")))
    for (name, says) in [("none", "there is no file"), ("a.gz", "gzip -dc"), ("", "directory")] {
      let error = #expect(throws: LogError.self) {
        try FileView(directory.file(name), filter: ViewFilter(), keepsJSON: false)
      }
      #expect(error?.description.contains(says) == true, "\(String(describing: error))")
    }
  }
}

/// Processes that come and go.
struct RingsViewTests {
  private func look(_ view: RingsView) -> [String] {
    view.look(until: RingObserver.moment()).map { item in
      switch item {
      case .record(let record): record.log.message
      case .line: "line"
      case .notice(let notice): notice.word
      }
    }
  }

  @Test func processesComeLogAndGo() throws {
    let directory = try TemporaryDirectory()
    let view = RingsView(directory: directory.file("rings"), filter: ViewFilter(), keepsJSON: true)
    #expect(try view.backlog(10).isEmpty && !view.isFinished)
    #expect(look(view) == [])
    let first = try RingFixture(directory)
    first.commit(EncodedRecord({ "one" }))
    #expect(Set(look(view)) == ["began", "one"])
    let second = try RingFixture(directory)
    second.commit(EncodedRecord({ "two" }))
    first.commit(EncodedRecord({ "three" }))
    // The directory's clock may not have ticked since it was listed.
    var seen: [String] = []
    for _ in 0..<50 where !seen.contains("two") {
      seen += look(view)
      usleep(10_000)
    }
    #expect(Set(seen) == ["began", "two", "three"])
    first.die()
    second.seal()
    #expect(Set(look(view)) == ["died", "closed"])
    #expect(look(view) == [])
  }

  @Test func recordsOfSeveralProcessesAreInTheOrderOfTime() throws {
    let directory = try TemporaryDirectory()
    let fixtures = try (0..<3).map { _ in try RingFixture(directory, ringSize: 16_384) }
    for number in 0..<90 { fixtures[number % 3].commit(EncodedRecord({ "\(number, "number")" })) }
    let view = RingsView(directory: directory.file("rings"), filter: ViewFilter(), keepsJSON: true)
    let items = try view.backlog(nil)
    let numbers = items.compactMap { item in
      if case .record(let record) = item { record.log["number"]?.intValue } else { nil }
    }
    // The clocks of three files differ by what it takes to read one.
    #expect(numbers.count == 90 && zip(items, items.dropFirst()).allSatisfy { $0.time <= $1.time })
    #expect(try view.backlog(5).isEmpty)
    let limited = RingsView(directory: directory.file("rings"), filter: ViewFilter(), keepsJSON: true)
    #expect(try limited.backlog(5).count == 5)
    if case .record(let record) = items[0] {
      #expect(try JSONRecord(line: String(decoding: record.json, as: UTF8.self)).msg == record.log.message)
    }
  }

  @Test func filtersAndRefusals() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    fixture.commit(EncodedRecord({ "info" }))
    fixture.commit(EncodedRecord(level: .error, { "error \(5, "n")" }))
    try "no ring".write(toFile: directory.file("rings/bad.ring"), atomically: false, encoding: .utf8)
    var filter = ViewFilter()
    filter.level = .warning
    filter.fields = [try #require(FieldCondition(parsing: "n>4"))]
    let view = RingsView(directory: directory.file("rings"), filter: filter, keepsJSON: false)
    let items = try view.backlog(nil)
    #expect(items.count == 2 && view.hasRefused)
    guard case .notice(let notice) = items[1] else {
      Issue.record("\(items)")
      return
    }
    #expect(notice.text.contains("bad.ring"))
    var other = ViewFilter()
    other.pids = [1]
    #expect(try RingsView(directory: directory.file("rings"), filter: other, keepsJSON: false).backlog(nil).count == 1)
    unsafe #expect(chmod(directory.file("rings"), 0o755) == 0)
    #expect(throws: LogError.self) {
      try RingsView(directory: directory.file("rings"), filter: filter, keepsJSON: false).backlog(nil)
    }
  }

  @Test func oneFileEndsWithItsProcess() throws {
    let directory = try TemporaryDirectory()
    let fixture = try RingFixture(directory)
    fixture.commit(EncodedRecord({ "last" }))
    let view = try RingsView(file: fixture.path, filter: ViewFilter(), keepsJSON: false)
    #expect(try view.backlog(10).count == 1 && !view.isFinished)
    fixture.die()
    #expect(look(view) == ["died"] && view.isFinished)
    #expect(throws: LogError.self) {
      try RingsView(file: directory.file("none"), filter: ViewFilter(), keepsJSON: false)
    }
  }
}
