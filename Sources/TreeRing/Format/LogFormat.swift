/// How a record is spelled.
public enum LogFormat: String, Sendable, CaseIterable {
  /// One JSON object per line.
  case json
  /// For people: aligned, coloured on a terminal.
  case console
}
