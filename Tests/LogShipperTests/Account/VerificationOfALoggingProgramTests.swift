import Foundation
import LogShipper
import TestSupport
import Testing

/// The account of what a real program wrote, from its first record to its closing records.
@Suite struct VerificationOfALoggingProgramTests {
  private let directory = TestDirectory()

  /// Runs the test program to its end; the result is the file it logged to, new each time.
  private func storm(threads: Int, records: Int, environment: [String: String] = [:]) throws -> String {
    let file = directory.path + "/storm-\(records).ndjson"
    let base = ["TREERING_SINK": "file:\(file)", "TREERING_DIR": directory.path + "/rings", "TREERING_LEVEL": "info"]
    let errors = directory.path + "/errors"
    let process = try ChildProcess(
      "LogStorm", ["\(threads)", "\(records)"], environment: base.merging(environment) { $1 }, errors: errors)
    #expect(process.wait() == .exit(0), "\(process.errors)")
    return file
  }

  private func verify(_ path: String) -> (code: Int32, last: String) {
    var last = ""
    let code = Verification.run(paths: [path], live: false, json: false, print: { last = $0 }, complain: { last = $0 })
    return (code, last)
  }

  @Test func completeAsWrittenAndNeverAfterALineIsGoneOrDoubled() throws {
    let file = try storm(threads: 2, records: 1000, environment: ["TREERING_WHEN_FULL": "block"])
    let whole = verify(file)
    #expect(whole.code == 0, "\(whole.last)")
    // The records, and the process's closing record.
    #expect(whole.last == "emitted 2002 delivered 2002 dropped 0 lost 0 duplicated 0 open 0")
    try expectEveryEditToFail(file, every: 331)
  }

  @Test func dropsAreAccountedForToo() throws {
    // Where the program's own threads get little of the processor, its writer keeps up with a few records; with no machine does it with so many.
    for records in [5000, 50_000, 500_000] {
      let file = try storm(threads: 2, records: records, environment: ["TREERING_RING_SIZE": "65536"])
      let whole = verify(file)
      #expect(whole.code == 0, "\(whole.last)")
      let numbers = whole.last.split(separator: " ").compactMap { Int($0) }
      try #require(numbers.count == 6 && numbers[0] == 2 * records + 2, "\(whole.last)")
      if numbers[2] > 0 { return try expectEveryEditToFail(file, every: max(499, numbers[1] / 20)) }
    }
    Issue.record("nothing was dropped: the test has lost its point")
  }

  /// Takes out, and doubles, some ordinary lines and every line about the stream.
  private func expectEveryEditToFail(_ file: String, every step: Int) throws {
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(String.init)
    let about = lines.indices.filter { lines[$0].contains(#""logger":"treering""#) }
    #expect(about.count >= 2)
    for index in Set(stride(from: 0, to: lines.count, by: step)).union(about.prefix(4)).union(about.suffix(4)) {
      var edited = lines
      edited.remove(at: index)
      #expect(verify(try directory.write(edited, name: "edited")).code == 1, "without \(lines[index])")
      edited = lines
      edited.insert(lines[index], at: 0)
      #expect(verify(try directory.write(edited, name: "edited")).code == 1, "twice \(lines[index])")
      edited = Array(lines[..<index])
      #expect(verify(try directory.write(edited, name: "edited")).code == 1, "up to \(lines[index])")
    }
  }
}
