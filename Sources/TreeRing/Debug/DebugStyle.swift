/// How lines of debug channels look to people, as npm `debug` decides it.
struct DebugStyle: Sendable, Equatable {
  /// The colours to pick from; nil: none, and a date in front instead.
  var palette: DebugColor.Palette?
  /// Without colours: no date in front.
  var hidesDate = false

  /// A date in front, and no colours.
  static let plain = DebugStyle(colours: false, hasManyColours: false) { _ in nil }

  /// What the environment asks for, at a destination that shows colours or does not. `DEBUG_COLORS` decides about debug channels alone, and wins over
  /// `NO_COLOR` and over what the destination is; `DEBUG_HIDE_DATE` matters without colours.
  ///
  /// - Parameter hasManyColours: of a terminal that knows 256.
  init(
    colours: Bool, hasManyColours: @autoclosure () -> Bool = Terminal.hasManyColours,
    _ variable: (String) -> String? = Syscalls.environment
  ) {
    let wantsColours = Self.isSet("DEBUG_COLORS", variable) ?? colours
    palette = !wantsColours ? nil : colours && hasManyColours() ? .extended : .basic
    hidesDate = Self.isSet("DEBUG_HIDE_DATE", variable) ?? false
  }

  /// A variable of npm `debug`'s: a word for yes or no, or a number, of which 0 is no; anything else is no, and so is nothing. Nil: it is not set. npm takes
  /// these names in any case; here they may be all lower case, too.
  private static func isSet(_ name: String, _ variable: (String) -> String?) -> Bool? {
    guard let value = (variable(name) ?? variable(name.lowercased()))?.lowercased() else { return nil }
    switch value {
    case "yes", "on", "true", "enabled": return true
    case "no", "off", "false", "disabled": return false
    default: return Double(value).map { $0 != 0 && !$0.isNaN } ?? false
    }
  }
}

extension DebugColor {
  /// The parameters of the escape sequence that paints in this colour.
  var escape: String { code < 8 ? "3\(code)" : "38;5;\(code)" }
}

/// When each channel last said something, for the interval at the end of a line.
struct DebugIntervals: Sendable {
  private var last: [String: UInt64] = [:]

  /// Names that are kept; a program that makes up more than that begins again.
  private static let limit = 4096

  /// How many names are kept now.
  var count: Int { last.count }

  /// The time since the channel's previous line, 0 for its first one; never negative, whatever the clock does.
  mutating func interval(of channel: String, at nanoseconds: UInt64) -> DebugInterval {
    // JavaScript's clock has whole milliseconds, and so have its differences.
    let now = nanoseconds / 1_000_000
    let before = last[channel] ?? now
    if last.count >= Self.limit, last[channel] == nil { last = [:] }
    last[channel] = max(now, before)
    return DebugInterval(milliseconds: Int64(now > before ? now - before : 0))
  }
}
