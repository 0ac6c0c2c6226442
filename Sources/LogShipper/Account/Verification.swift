import TreeRing

/// `treering verify`: reads the files of an archive, settles the account, and reports.
package struct Verification {
  private let live: Bool
  private var account = Account()
  private var cutLines: [LinePlace] = []

  private init(live: Bool) { self.live = live }

  /// Verifies the archive in `paths`, which are read in the order given and never written. Blocking.
  ///
  /// - Parameters:
  ///   - live: the programs still run: open rings are no failure, and neither is a last line that is being written.
  ///   - json: one JSON object instead of text.
  ///   - verbose: shows every process, not only those with problems.
  ///   - print: takes one line of the report, without a line feed.
  ///   - complain: takes one line about why there is no report.
  /// - Returns: the exit code: 0 when the account is complete, 1 when it is not, when there is no ring in the files, or when one cannot be read, 64 without files.
  package static func run(
    paths: [String], live: Bool, json: Bool, verbose: Bool = false, print: (String) -> Void,
    complain: (String) -> Void = { Syscalls.complain($0) }
  ) -> Int32 {
    guard !paths.isEmpty else {
      complain("verify needs the files of an archive, as in treering verify archive/*.ndjson")
      return 64
    }
    var verification = Verification(live: live)
    do {
      let files = try ArchiveFiles(paths)
      for index in files.paths.indices { try verification.read(files.paths[index], index) }
    } catch {
      complain("\(error)")
      return 1
    }
    let verdict = verification.account.verdict
    let report = AccountReport(verdict, files: paths, live: live, cutLines: verification.cutLines)
    if json { print(report.json) } else { report.text(verbose: verbose).forEach(print) }
    // Nothing at all is also what is left of an archive that was cut off at its start.
    let isProof = live || !verdict.processes.isEmpty
    return isProof && verdict.isComplete(live: live) ? 0 : 1
  }

  private mutating func read(_ path: String, _ file: Int) throws(LogError) {
    var reader = try ArchiveReader(path)
    var place = LinePlace(file: file, line: 0)
    try reader.forEachLine { line, piece in
      place.line += 1
      take(line, piece, at: place)
    }
  }

  private mutating func take(_ line: Span<UInt8>, _ piece: ArchiveReader.Piece, at place: LinePlace) {
    switch piece {
    case .line where NDJSONScanner.isBlank(line): return
    case .line: scan(line, at: place)
    case .cut: scanCut(line, at: place)
    case .tooLong: account.addMalformed("longer than \(ArchiveReader.longestLine) bytes", at: place)
    }
  }

  private mutating func scan(_ line: Span<UInt8>, at place: LinePlace) {
    do {
      account.add(try NDJSONScanner.scan(line), at: place)
    } catch {
      account.addMalformed(error.description, at: place)
    }
  }

  /// The last line is without its end: it was cut, or is being written.
  private mutating func scanCut(_ line: Span<UInt8>, at place: LinePlace) {
    if live { cutLines.append(place) }
    if let facts = try? NDJSONScanner.scan(line) {
      account.add(facts, at: place, isCut: !live)
    } else if !live {
      account.addMalformed("the file ends within this line", at: place)
    }
  }
}
