import Synchronization

/// Which labels and channels are on: what the slow side of a gate reads.
///
/// A policy is never changed and never freed, so a log call in a signal handler may read it without a lock; a new one replaces it as a whole.
final class LogPolicy: Sendable {
  /// The levels of loggers, and which ones come back when a time limit is over.
  let timedLevels: TimeBox<Levels>
  /// What is on, and what will be.
  let timedFilter: TimeBox<DebugFilter>
  let rules: [(prefix: [UInt8], level: Level)]
  /// Channels that are on or off whatever the filter says.
  let overrides: [(name: [UInt8], isOn: Bool)]

  /// The level of every label.
  struct Levels: Sendable, Equatable {
    /// Where no rule covers.
    var level: Level
    var rules: [LogConfiguration.LevelRule] = []

    /// As `TREERING_LEVEL` spells them.
    var text: String { ([level.name] + rules.map { "\($0.prefix)=\($0.level.name)" }).joined(separator: ",") }

    /// These with another level for the labels that begin with a prefix, or for all that no rule covers when the prefix is nil. The level nil takes the rule away.
    func setting(_ level: Level?, forPrefix prefix: String?) -> Levels {
      guard let prefix else { return Levels(level: level ?? self.level, rules: rules) }
      var rules = rules.filter { !$0.prefix.utf8.elementsEqual(prefix.utf8) }
      if let level { rules.append(LogConfiguration.LevelRule(prefix: prefix, level: level)) }
      return Levels(level: self.level, rules: rules)
    }
  }

  var level: Level { timedLevels.value.level }
  var levelRules: [LogConfiguration.LevelRule] { timedLevels.value.rules }
  var filter: DebugFilter { timedFilter.value }

  convenience init(level: Level, rules: [LogConfiguration.LevelRule], filter: DebugFilter) {
    self.init(TimeBox(Levels(level: level, rules: rules)), TimeBox(filter), overrides: [])
  }

  private init(
    _ levels: TimeBox<Levels>, _ filter: TimeBox<DebugFilter>, overrides: [(name: [UInt8], isOn: Bool)]
  ) {
    timedLevels = levels
    timedFilter = filter
    self.overrides = overrides
    // The longest prefix first: the first that fits wins.
    rules = levels.value.rules.map { (Array($0.prefix.utf8.prefix { $0 != UInt8(ascii: "*") }), $0.level) }
      .sorted { $0.0.count > $1.0.count }
  }

  /// This policy with another filter.
  func with(_ filter: DebugFilter) -> LogPolicy { changingFilter { _ in filter } }

  /// This policy with a changed filter, for so long; nil: it stays.
  func changingFilter(
    forSeconds seconds: Int? = nil, now: UInt64 = 0, _ change: (DebugFilter) -> DebugFilter
  ) -> LogPolicy {
    LogPolicy(timedLevels, timedFilter.changed(forSeconds: seconds, now: now, change), overrides: overrides)
  }

  /// This policy with changed levels, for so long; nil: they stay.
  func changingLevels(forSeconds seconds: Int? = nil, now: UInt64 = 0, _ change: (Levels) -> Levels) -> LogPolicy {
    LogPolicy(timedLevels.changed(forSeconds: seconds, now: now, change), timedFilter, overrides: overrides)
  }

  /// This policy with a channel switched by hand; nil leaves it to the filter again.
  func overriding(_ channel: LogKey, _ isOn: Bool?) -> LogPolicy {
    let name = Array(channel.text.utf8)
    var overrides = overrides.filter { $0.name != name }
    if let isOn { overrides.append((name, isOn)) }
    return LogPolicy(timedLevels, timedFilter, overrides: overrides)
  }

  /// This policy without what has a time limit that is over. What was switched by hand meanwhile stays.
  func fallingBack(now: UInt64) -> LogPolicy {
    LogPolicy(timedLevels.fallingBack(now: now), timedFilter.fallingBack(now: now), overrides: overrides)
  }

  /// Whether something has a time limit that is over.
  func isOverdue(now: UInt64) -> Bool { timedLevels.end ?? .max <= now || timedFilter.end ?? .max <= now }

  /// For poll(2): milliseconds until something falls back; -1 when nothing does.
  func pollTimeout(now: UInt64) -> Int32 {
    let times = [timedLevels.pollTimeout(now: now), timedFilter.pollTimeout(now: now)].filter { $0 >= 0 }
    return times.min() ?? -1
  }

  /// What holds when logging starts with `configuration`, again or in a forked child: what was changed meanwhile stays, where the configuration says no other thing
  /// than the one before said. What has a time limit keeps it.
  func restarting(_ configuration: LogConfiguration, after last: LogConfiguration?) -> LogPolicy {
    var next = self
    if last?.level != configuration.level || last?.levels != configuration.levels {
      next = next.changingLevels { _ in Levels(level: configuration.level, rules: configuration.levels) }
    }
    if last?.debug != configuration.debug { next = next.with(DebugFilter(parsing: configuration.debug)) }
    return next
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
