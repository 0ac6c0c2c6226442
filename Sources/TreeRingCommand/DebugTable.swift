import Glibc
import TreeRing

/// What processes answer about their channels and levels, for people and for programs.
enum DebugTable {
  /// One process.
  static func show(_ lines: [ControlLine], _ target: DebugTarget) {
    let process = lines.first { $0.kind == "process" } ?? ControlLine(parsing: "process")
    let channels = lines.filter { $0.kind == "channel" }
    let levels = lines.filter { $0.kind == "level" }
    if target.json {
      if channels.isEmpty && levels.isEmpty { Console.print(json(process)) }
      for channel in channels { Console.print(json(channel, of: process)) }
      for level in levels { Console.print(json(level: level, of: process)) }
    } else {
      Console.print(title(process))
      let rows = channels.map {
        DebugListing.Row(name: $0[0], isOn: $0[1] == "on", reason: $0[2], place: $0[3], about: $0[4])
      }
      if !rows.isEmpty { DebugListing(rows).lines(colours: colours).forEach(Console.print) }
      for level in levels { Console.print("  \(level[0].isEmpty ? "every label" : level[0]): \(level[1])") }
    }
  }

  /// A program that need not run.
  static func show(_ program: String, _ listing: DebugListing, _ target: DebugTarget) {
    guard target.json else {
      Console.print(program.withoutControls)
      return listing.lines(colours: colours).forEach(Console.print)
    }
    for row in listing.rows {
      Console.print(
        "{\"program\":\(quote(program)),\"channel\":\(quote(row.name)),\"place\":\(quote(row.place)),\"about\":\(quote(row.about))}"
      )
    }
  }

  private static var colours: Bool {
    isatty(STDOUT_FILENO) == 1 && (Syscalls.environment("NO_COLOR") ?? "").isEmpty
  }

  private static func title(_ process: ControlLine) -> String {
    let spec = process[2].isEmpty ? "no channel is on" : "on: \(process[2])"
    let end = process[3].isEmpty ? "" : ", falls back in \(process[3]) s to \(process[4].isEmpty ? "none" : process[4])"
    let levels = process[5].isEmpty ? "" : "; levels fall back in \(process[5]) s to \(process[6])"
    return "\(process[1]) (\(process[0]))  \(spec)\(end)\(levels)"
  }

  private static func json(_ process: ControlLine) -> String {
    let left = process[3].isEmpty ? "" : ",\"seconds_left\":\(number(process[3])),\"then\":\(quote(process[4]))"
    let levels =
      process[5].isEmpty ? "" : ",\"levels_seconds_left\":\(number(process[5])),\"levels_then\":\(quote(process[6]))"
    return
      "{\"pid\":\(number(process[0])),\"program\":\(quote(process[1])),\"debug\":\(quote(process[2]))\(left)\(levels)}"
  }

  private static func json(_ channel: ControlLine, of process: ControlLine) -> String {
    """
    {"pid":\(number(process[0])),"program":\(quote(process[1])),"channel":\(quote(channel[0])),"on":\(channel[1] == "on"),\
    "pattern":\(quote(channel[2])),"place":\(quote(channel[3])),"about":\(quote(channel[4]))}
    """
  }

  private static func json(level: ControlLine, of process: ControlLine) -> String {
    let left = process[5].isEmpty ? "" : ",\"seconds_left\":\(number(process[5]))"
    return "{\"pid\":\(number(process[0])),\"label\":\(quote(level[0])),\"level\":\(quote(level[1]))\(left)}"
  }

  /// A process says what it likes.
  private static func number(_ text: String) -> Int { Int(text) ?? 0 }
  private static func quote(_ text: String) -> String { JSONText.quote(text) }
}
