import ArgumentParser
import TreeRing

/// `treering rings`: what is in memory, and whose.
struct Rings: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List ring files: process, alive or dead, records unread, dropped.",
    discussion:
      "Looks without touching: nothing is read out of a ring. `treering recover` finishes what dead processes left.")

  @Argument(help: "The directory of ring files. Default: $TREERING_DIR or the standard place.")
  var directory: String?

  @Flag(help: "Print one JSON object per ring file.")
  var json = false

  func run() throws {
    let directory = directory ?? DefaultDirectory.rings
    guard (try? Syscalls.status(ofPath: directory)) != nil else {
      Console.complain("no ring files: \(directory) does not exist (no program has logged there yet)")
      return
    }
    var isWhole = true
    var surveys: [RingSurvey] = []
    do {
      for path in try RingDirectory.files(in: directory) {
        do { surveys.append(try RingSurvey(path: path)) } catch {
          Console.complain("\(error)")
          isWhole = false
        }
      }
    } catch {
      Console.complain("\(error)")
      throw ExitCode.failure
    }
    if json { surveys.forEach { Console.print(Self.json($0)) } } else { Self.table(surveys) }
    if !isWhole { throw ExitCode.failure }
  }

  private static func table(_ surveys: [RingSurvey]) {
    guard !surveys.isEmpty else { return Console.print("no ring files") }
    Console.print(row("PID", "STATE", "DRAINED BY", "RINGS", "UNREAD", "BYTES", "COMMITTED", "DROPPED", "PROGRAM"))
    for survey in surveys {
      Console.print(
        row(
          "\(survey.pid)", survey.isAlive ? "alive" : "dead", reader(survey), "\(survey.rings)", "\(survey.unread)",
          "\(survey.unreadBytes)", "\(survey.committed)", "\(survey.dropped)", printable(survey.program)))
    }
    let dead = surveys.filter { !$0.isAlive && !$0.isConsumed }
    if !dead.isEmpty { Console.print("\(dead.count) dead: run `treering recover` to write out what they left") }
  }

  private static func reader(_ survey: RingSurvey) -> String {
    switch (survey.isConsumed, survey.isExternal) {
    case (true, true): "collector"
    case (true, false): survey.isAlive ? "own thread" : "recovery"
    case (false, _): "nobody"
    }
  }

  private static func row(_ columns: String...) -> String {
    let widths = [8, 6, 11, 6, 9, 10, 11, 9]
    return columns.enumerated().map { index, text in
      index < widths.count ? text + String(repeating: " ", count: max(1, widths[index] - text.count)) : text
    }.joined()
  }

  /// A ring file may name its program as it likes.
  private static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
  }

  private static func json(_ survey: RingSurvey) -> String {
    """
    {"path":\(JSONText.quote(survey.path)),"program":\(JSONText.quote(survey.program)),"pid":\(survey.pid),\
    "alive":\(survey.isAlive),"consumed":\(survey.isConsumed),"external":\(survey.isExternal),"rings":\(survey.rings),\
    "unread":\(survey.unread),"unread_bytes":\(survey.unreadBytes),"committed":\(survey.committed),"dropped":\(survey.dropped)}
    """
  }
}
