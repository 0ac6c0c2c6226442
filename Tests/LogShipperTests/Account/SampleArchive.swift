import LogShipper

/// Archives made by hand, line by line as a drain writes them.
struct SampleArchive {
  private(set) var lines: [String] = []

  /// One process: for each ring the number of its records, and the drops told in it, one notice each.
  ///
  /// - Parameter lost: notices of calls that found no ring.
  mutating func addProcess(
    _ stream: String = "0123456789abcdef0123456789abcdef", pid: Int = 4711,
    rings: [(records: Int, drops: [Int])], lost: [Int] = []
  ) {
    for (index, ring) in rings.enumerated() {
      lines += (0..<ring.records).map { Self.record("\(stream).\(index)", $0, pid: pid) }
      lines += Self.notices("\(stream).\(index)", ring.drops, cause: "ring full", pid: pid)
    }
    lines += Self.notices("\(stream).0", lost, cause: "no ring", pid: pid)
    lines.append(Self.processClosed(stream, rings[0].records, rings: rings.count, lost: lost.reduce(0, +), pid: pid))
    for (index, ring) in rings.enumerated() {
      let committed = ring.records + (index == 0 ? 1 : 0)
      let dropped = ring.drops.reduce(0, +)
      lines.append(Self.ringClosed("\(stream).\(index)", committed: committed, dropped: dropped, pid: pid))
    }
  }

  static func record(_ ring: String, _ sequence: Int, pid: Int = 4711) -> String {
    // The message and the fields contain what looks like the members that matter.
    #"{"time":"2026-01-01T00:00:00.000000001Z","level":"info","logger":"shop","msg":"said \"seq\":7, and {","pid":\#(pid),"#
      + #""ring":"\#(ring)","seq":\#(sequence),"order":{"seq":99,"ring":"x.1","tags":["seq",{"pid":1}]},"seq_":3}"#
  }

  static func notices(_ ring: String, _ counts: [Int], cause: String, pid: Int = 4711) -> [String] {
    var total = 0
    return counts.map { count in
      total += count
      return about("records dropped", ring, pid)
        + #""treering.dropped":\#(count),"treering.dropped_total":\#(total),"treering.cause":"\#(cause)"}"#
    }
  }

  static func processClosed(_ stream: String, _ sequence: Int, rings: Int, lost: Int = 0, pid: Int = 4711) -> String {
    about("process closed", "\(stream).0", pid)
      + #""seq":\#(sequence),"treering.rings":\#(rings),"treering.dropped":\#(lost)}"#
  }

  static func ringClosed(_ ring: String, committed: Int, dropped: Int, pid: Int = 4711) -> String {
    about("ring closed", ring, pid)
      + #""seq":\#(committed),"treering.committed":\#(committed),"treering.dropped":\#(dropped)}"#
  }

  static func unreadable(_ ring: String) -> String {
    about("records unreadable", ring, 4711) + #""treering.bytes":64,"treering.from":3}"#
  }

  private static func about(_ message: String, _ ring: String, _ pid: Int) -> String {
    #"{"time":"2026-01-01T00:00:00.000000002Z","level":"notice","logger":"treering","msg":"\#(message)","#
      + #""pid":\#(pid),"ring":"\#(ring)","#
  }
}

extension SampleArchive {
  /// Several processes with everything that can be in an archive.
  static var varied: SampleArchive {
    var archive = SampleArchive()
    archive.addProcess(rings: [(5, []), (0, []), (3, [2, 7])])
    archive.addProcess("feedfeedfeedfeedfeedfeedfeedfeed", pid: 2, rings: [(0, [4]), (6, [])], lost: [3, 1])
    archive.addProcess("short-1", pid: 3, rings: [(0, [])])
    return archive
  }
}

/// The account of lines that are no file.
func settle(_ lines: [String]) -> AccountVerdict {
  var account = Account()
  for (index, line) in lines.enumerated() {
    let place = LinePlace(file: 0, line: UInt64(index + 1))
    do {
      account.add(try scan(line), at: place)
    } catch {
      account.addMalformed(error.description, at: place)
    }
  }
  return account.verdict
}

func scan(_ line: String) throws(LineDefect) -> AccountLine { try scan(Array(line.utf8)) }

func scan(_ line: [UInt8]) throws(LineDefect) -> AccountLine { try NDJSONScanner.scan(line.span) }
