import Synchronization

/// Which labels and channels are on: what the slow side of a gate reads.
///
/// A policy is never changed and never freed, so a log call in a signal handler may read it without a lock; a new one replaces it as a whole.
final class LogPolicy: Sendable {
  let level: Level
  private let levelRules: [LogConfiguration.LevelRule]
  let rules: [(prefix: [UInt8], level: Level)]
  let filter: DebugFilter

  init(level: Level, rules: [LogConfiguration.LevelRule], filter: DebugFilter) {
    self.level = level
    levelRules = rules
    // The longest prefix first: the first that fits wins.
    self.rules = rules.map { (Array($0.prefix.utf8.prefix { $0 != UInt8(ascii: "*") }), $0.level) }
      .sorted { $0.0.count > $1.0.count }
    self.filter = filter
  }

  /// This policy with another filter.
  func with(_ filter: DebugFilter) -> LogPolicy { LogPolicy(level: level, rules: levelRules, filter: filter) }

  /// The lowest level that is on for a label.
  func threshold(of label: LogKey) -> UInt8 {
    for rule in rules where Self.covers(rule.prefix[...], label) { return rule.level.rawValue }
    return level.rawValue
  }

  /// `shop.` covers `shop` as well: what is below a label, and the label.
  private static func covers(_ prefix: ArraySlice<UInt8>, _ label: LogKey) -> Bool {
    if prefix.count == label.count + 1, prefix.last == UInt8(ascii: ".") { return covers(prefix.dropLast(), label) }
    return unsafe prefix.count <= label.count && prefix.withUnsafeBytes { unsafe label.start.matches($0) }
  }

  /// Whether a debug channel is on.
  func allowsChannel(_ name: LogKey) -> Bool {
    unsafe filter.isEnabled(UnsafeBufferPointer(start: name.start, count: name.count).span)
  }

  private static let address = Atomic<UInt>(0)

  /// The policy in force. Installing one makes every gate find out again.
  static var current: LogPolicy? {
    get {
      guard let pointer = unsafe UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring)) else { return nil }
      return unsafe Unmanaged<LogPolicy>.fromOpaque(pointer).takeUnretainedValue()
    }
    set {
      guard let newValue else { return }
      let pointer = unsafe Unmanaged.passRetained(newValue).toOpaque()
      address.store(UInt(bitPattern: pointer), ordering: .releasing)
      Gates.loggers.reopen()
      Gates.channels.reopen()
    }
  }
}
