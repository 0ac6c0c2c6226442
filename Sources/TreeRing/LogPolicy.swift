import Synchronization

/// Which labels and channels are on: what the slow side of a gate reads.
///
/// A policy is never changed and never freed, so a log call in a signal handler may read it without a lock; a new one replaces it as a whole.
final class LogPolicy: Sendable {
  let level: Level
  let levelRules: [LogConfiguration.LevelRule]
  let rules: [(prefix: [UInt8], level: Level)]
  let filter: DebugFilter
  /// Channels that are on or off whatever the filter says.
  let overrides: [(name: [UInt8], isOn: Bool)]

  init(
    level: Level, rules: [LogConfiguration.LevelRule], filter: DebugFilter,
    overrides: [(name: [UInt8], isOn: Bool)] = []
  ) {
    self.level = level
    levelRules = rules
    self.overrides = overrides
    // The longest prefix first: the first that fits wins.
    self.rules = rules.map { (Array($0.prefix.utf8.prefix { $0 != UInt8(ascii: "*") }), $0.level) }
      .sorted { $0.0.count > $1.0.count }
    self.filter = filter
  }

  /// This policy with another filter.
  func with(_ filter: DebugFilter) -> LogPolicy {
    LogPolicy(level: level, rules: levelRules, filter: filter, overrides: overrides)
  }

  /// This policy with a channel switched by hand; nil leaves it to the filter again.
  func overriding(_ channel: LogKey, _ isOn: Bool?) -> LogPolicy {
    let name = Array(channel.text.utf8)
    var overrides = overrides.filter { $0.name != name }
    if let isOn { overrides.append((name, isOn)) }
    return LogPolicy(level: level, rules: levelRules, filter: filter, overrides: overrides)
  }

  /// This policy with the levels and the filter of an earlier one: what was switched by hand meanwhile stays.
  func restoring(_ earlier: LogPolicy) -> LogPolicy {
    LogPolicy(level: earlier.level, rules: earlier.levelRules, filter: earlier.filter, overrides: overrides)
  }

  /// The levels as `TREERING_LEVEL` spells them.
  var levelsText: String {
    ([level.name] + levelRules.map { "\($0.prefix)=\($0.level.name)" }).joined(separator: ",")
  }

  /// This policy with another level: for the labels that begin with a prefix, where no longer prefix says otherwise, or for all that no rule covers when
  /// the prefix is nil. The level nil takes the rule away.
  func setting(_ level: Level?, forPrefix prefix: String?) -> LogPolicy {
    guard let prefix else {
      return LogPolicy(level: level ?? self.level, rules: levelRules, filter: filter, overrides: overrides)
    }
    var rules = levelRules.filter { !$0.prefix.utf8.elementsEqual(prefix.utf8) }
    if let level { rules.append(LogConfiguration.LevelRule(prefix: prefix, level: level)) }
    return LogPolicy(level: self.level, rules: rules, filter: filter, overrides: overrides)
  }

  /// This policy with other levels altogether.
  func replacingLevels(_ level: Level, _ rules: [LogConfiguration.LevelRule]) -> LogPolicy {
    LogPolicy(level: level, rules: rules, filter: filter, overrides: overrides)
  }

  /// The lowest level that is on for a label.
  func threshold(of label: LogKey) -> UInt8 {
    if let level = unsafe filter.level(ofLabel: UnsafeBufferPointer(start: label.start, count: label.count).span) {
      return level.rawValue
    }
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
    for index in overrides.indices where overrides[index].name.count == name.count {
      if unsafe overrides[index].name.withUnsafeBytes({ unsafe name.start.matches($0) }) {
        return overrides[index].isOn
      }
    }
    return unsafe filter.isEnabled(UnsafeBufferPointer(start: name.start, count: name.count).span)
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
      reopenGates()
    }
  }

  private static func reopenGates() {
    Gates.loggers.reopen()
    Gates.channels.reopen()
  }

  /// Replaces the policy by what `change` makes of it, and returns the one before; nil when there is none. Takes no lock: `change` runs again when another
  /// thread was faster.
  @discardableResult
  static func update(_ change: (LogPolicy) -> LogPolicy) -> LogPolicy? {
    while let old = current {
      let next = unsafe Unmanaged.passRetained(change(old))
      let expected = unsafe UInt(bitPattern: Unmanaged.passUnretained(old).toOpaque())
      let desired = unsafe UInt(bitPattern: next.toOpaque())
      if address.compareExchange(expected: expected, desired: desired, ordering: .acquiringAndReleasing).exchanged {
        reopenGates()
        return old
      }
      unsafe next.release()
    }
    return nil
  }
}
