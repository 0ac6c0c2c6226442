/// What can go wrong when logging is started, or rings are read. Each case names the thing; the description says what to do.
public struct LogError: Error, Sendable, CustomStringConvertible {
  /// What failed and what to do about it, in one line.
  public let description: String

  package init(_ description: String) { self.description = description }
}
