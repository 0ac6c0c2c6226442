import Foundation
import Testing
import TreeRing

@testable import LogShipper

@Suite struct ArchiveReaderTests {
  private let directory = TestDirectory()

  private func pieces(_ text: String) throws -> [String] { try pieces(Data(text.utf8)) }

  private func pieces(_ data: Data) throws -> [String] {
    let path = try directory.write(data)
    var pieces: [String] = []
    var reader = try ArchiveReader(path)
    try reader.forEachLine { line, piece in
      pieces.append(
        "\(piece): \(line.count < 100 ? String(decoding: line.indices.map { line[$0] }, as: UTF8.self) : "long")")
    }
    return pieces
  }

  @Test func givesLinesAndTheCutOne() throws {
    #expect(try pieces("") == [])
    #expect(try pieces("a\n\nb\r\n") == ["line: a", "line: ", "line: b\r"])
    #expect(try pieces("a\nb") == ["line: a", "cut: b"])
    #expect(try pieces("a") == ["cut: a"])
  }

  @Test func joinsLinesAcrossChunks() throws {
    // Longer than two chunks, of a length that divides none.
    let lines = (0..<30_000).map { "line \($0) " + String(repeating: "x", count: 83) }
    #expect(try pieces(lines.map { $0 + "\n" }.joined()) == lines.map { "line: \($0)" })
  }

  @Test func growsForALongLineAndStepsOverATooLongOne() throws {
    let long = String(repeating: "x", count: 3_000_000)
    #expect(try pieces("\(long)\nb\n") == ["line: long", "line: b"])
    var data = Data(repeating: UInt8(ascii: "x"), count: 40_000_000)
    data.append(contentsOf: Array("\nb\n".utf8))
    #expect(try pieces(data) == ["tooLong: ", "line: b"])
  }

  @Test func refusalsSayWhatToDo() throws {
    expectRefusal("/nowhere/a.ndjson", "there is no file /nowhere/a.ndjson: check the name")
    let gzip = try directory.write(Data([0x1F, 0x8B, 8, 0]))
    expectRefusal(gzip, "is compressed (gzip): unpack it")
    expectRefusal(directory.path, "is a directory: name the files in it, as in \(directory.path)/*.ndjson")
  }

  private func expectRefusal(_ path: String, _ text: String) {
    do {
      var reader = try ArchiveReader(path)
      try reader.forEachLine { _, _ in }
      Issue.record("\(path) was read")
    } catch {
      #expect(error.description.contains(text))
    }
  }
}

/// A directory that goes away with the test.
final class TestDirectory: Sendable {
  let path: String

  init() {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("account-\(UUID().uuidString)").path
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Makes a file and returns its path.
  func write(_ data: Data, name: String = UUID().uuidString) throws -> String {
    let file = path + "/" + name
    try data.write(to: URL(fileURLWithPath: file))
    return file
  }

  func write(_ lines: [String], name: String = UUID().uuidString) throws -> String {
    try write(Data(lines.map { $0 + "\n" }.joined().utf8), name: name)
  }
}
