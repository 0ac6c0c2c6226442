import ArgumentParser
import Glibc
import TreeRing

/// `treering rings`: what is in memory, and whose.
struct Rings: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List ring files: process, alive or dead, records unread, dropped.",
    discussion: """
      Directories of rings in that directory, as `companies` makes them, are listed too.
      Looks without touching: nothing is read out of a ring. `treering recover` finishes what dead processes left, `treering tail` shows what is in them.
      A narrow terminal shows fewer columns. FULL is how full the fullest ring of a process is, PEAK how full one ever was: from three quarters on, records below warning are dropped, and TREERING_RING_SIZE is too small.
      A file that cannot be read is told on standard error, and the exit code is 1; the others are listed all the same.
      """)

  @Argument(help: "The directory of ring files. Default: $TREERING_DIR or the standard place.", completion: .directory)
  var directory: String?

  @Flag(help: "Print one JSON object per ring file.")
  var json = false

  @Flag(name: .shortAndLong, help: "Look again and again, until Ctrl-C.")
  var watch = false

  @Option(help: "Seconds between two looks of --watch.")
  var every: Double = 1

  func validate() throws {
    guard every >= 0.1, every <= 86_400 else { throw ValidationError("--every must be from 0.1 to 86400 seconds") }
  }

  func run() throws {
    if watch { return try RingsWatch(place, seconds: every, json: json).run() }
    let look = try RingsLook(place)
    if json { look.json.forEach(Console.print) } else { table(look) }
    look.refusals.forEach { Console.complain($0.reason) }
    if !look.refusals.isEmpty { throw ExitCode.failure }
  }

  private var place: String { directory ?? RingDirectory.configured() }

  private func table(_ look: RingsLook) {
    guard !look.surveys.isEmpty else {
      if look.isThere { return Console.print("no ring files in \(place)") }
      return Console.complain("no ring files: \(place) does not exist (no program has logged there yet)")
    }
    var table = RingsTable()
    table.colours = Terminal.wantsColours(STDOUT_FILENO)
    table.width = Terminal.width(of: STDOUT_FILENO)
    table.lines(look.surveys, now: look.time).forEach(Console.print)
    table.advice(look.surveys).forEach(Console.print)
  }
}

/// One look at a directory of rings.
struct RingsLook {
  private(set) var surveys: [RingSurvey] = []
  /// Files that could not be looked at, and why.
  private(set) var refusals: [(path: String, reason: String)] = []
  /// Whether the directory exists.
  let isThere: Bool
  /// Nanoseconds since 1970.
  let time = Syscalls.now(CLOCK_REALTIME)

  /// Throws exit code 1, and tells why, when the directory cannot be listed.
  init(_ directory: String) throws {
    let paths: [String]
    do {
      isThere = try RingDirectory.exists(directory)
      guard isThere else { return }
      paths = try RingDirectory.nested(in: directory).flatMap(RingDirectory.files)
    } catch {
      Console.complain("\(error)")
      throw ExitCode.failure
    }
    for path in paths { look(path) }
    surveys.sort { ($0.program, $0.pid, $0.path) < ($1.program, $1.pid, $1.path) }
  }

  private mutating func look(_ path: String) {
    do {
      surveys.append(try RingSurvey(path: path))
    } catch .gone {
      // It belonged to a process that has ended since the directory was listed.
    } catch {
      refusals.append((path, "\(error)"))
    }
  }

  /// One object for each file, refused ones included.
  var json: [String] {
    surveys.map { RingsTable.json($0, now: time) }
      + refusals.map { "{\"path\":\(JSONText.quote($0.path)),\"refused\":\(JSONText.quote($0.reason))}" }
  }
}

/// The same, again and again: on a terminal on a screen of its own, which leaves no trace.
struct RingsWatch {
  private let directory: String
  private let seconds: Double
  private let json: Bool
  private let isScreen: Bool

  init(_ directory: String, seconds: Double, json: Bool) {
    self.directory = directory
    self.seconds = seconds
    self.json = json
    isScreen = !json && isatty(STDOUT_FILENO) == 1
  }

  func run() throws {
    Interruption.watch()
    // The alternate screen, and no cursor on it.
    if isScreen { write("\u{1B}[?1049h\u{1B}[?25l") }
    defer { if isScreen { write("\u{1B}[?25h\u{1B}[?1049l") } }
    var previous: (surveys: [RingSurvey], time: UInt64)?
    while !Interruption.hasCome {
      let look = try RingsLook(directory)
      let passed = previous.map { Double(look.time &- $0.time) / 1e9 } ?? seconds
      guard write(text(look, previous?.surveys, passed)) else { return }
      previous = (look.surveys, look.time)
      _ = poll(nil, 0, Int32(seconds * 1000))
    }
  }

  private func text(_ look: RingsLook, _ previous: [RingSurvey]?, _ seconds: Double) -> String {
    if json { return look.json.map { $0 + "\n" }.joined() }
    var table = RingsTable()
    table.colours = Terminal.wantsColours(STDOUT_FILENO)
    table.width = Terminal.width(of: STDOUT_FILENO)
    var lines = look.surveys.isEmpty ? ["no ring files in \(directory)"] : []
    if lines.isEmpty {
      lines = table.lines(look.surveys, previous: previous ?? [], seconds: seconds, now: look.time)
    }
    lines += [""] + table.advice(look.surveys) + look.refusals.map(\.reason)
    guard isScreen else { return lines.map { $0 + "\n" }.joined() + "\n" }
    // Each line is overwritten where it stands, so that nothing flickers.
    return "\u{1B}[H" + lines.map { $0 + "\u{1B}[K\r\n" }.joined() + "\u{1B}[J"
  }

  /// False when the reader has gone.
  @discardableResult
  private func write(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { unsafe Syscalls.writeAll(STDOUT_FILENO, UnsafeRawBufferPointer($0)).error } == nil
  }
}
