import Glibc

private let log = Logger("treering.control")

/// Carries out what is asked of this process. Lives on the control socket's thread.
struct ControlHandler {
  private(set) var timeBox = TimeBox<LogPolicy>()

  /// Does what `command` says, and tells what came of it.
  mutating func answer(_ command: ControlCommand, peer: (uid: UInt32, pid: Int32), now: UInt64) -> [ControlLine] {
    guard let policy = LogPolicy.current else { return [ControlLine("error", "logging has not been started")] }
    switch command {
    case .list: return [process(now)] + channels(policy)
    case .levels: return [process(now)] + levels(policy)
    case .enable(let spec, _): return change(command, peer, now) { $0.with(DebugFilter(parsing: spec)) }
    case .add(let spec, _):
      return change(command, peer, now) { $0.with(DebugFilter(parsing: $0.filter.spec + "," + spec)) }
    case .disable: return change(command, peer, now) { $0.with(.off) }
    case .setLevels(let text, _):
      guard let (level, rules) = LogConfiguration.parseLevels(text) else {
        return [ControlLine("error", "\(text) is not understood: expected a level (\(Level.names)) or info,http=debug")]
      }
      return change(command, peer, now) { $0.replacingLevels(level ?? $0.level, rules) }
    }
  }

  private mutating func change(
    _ command: ControlCommand, _ peer: (uid: UInt32, pid: Int32), _ now: UInt64,
    _ change: (LogPolicy) -> LogPolicy
  ) -> [ControlLine] {
    guard let before = LogPolicy.update(change), let after = LogPolicy.current else { return [] }
    timeBox.change(from: before, forSeconds: command.seconds, now: now)
    Self.tell("changed from outside", before, after) {
      $0["verb"] = command.verb
      $0["by.uid"] = peer.uid
      $0["by.pid"] = peer.pid
      if let seconds = command.seconds { $0["for"] = seconds }
    }
    switch command {
    case .enable(let spec, _), .add(let spec, _): return [process(now)] + suggestions(spec)
    default: return [process(now)]
    }
  }

  /// Puts back what a time box replaced, when its time is over.
  mutating func fallBack(now: UInt64) {
    guard let before = timeBox.fallBack(now: now), let last = LogPolicy.update({ $0.restoring(before) }),
      let policy = LogPolicy.current
    else { return }
    Self.tell("fell back", last, policy) { $0["verb"] = "time" }
  }

  private static func tell(
    _ what: StaticString, _ before: LogPolicy, _ after: LogPolicy, _ fields: (inout LogFields) -> Void
  ) {
    log.notice("debug channels \(what.description)") {
      fields(&$0)
      $0["debug"] = after.filter.spec
      $0["debug.before"] = before.filter.spec
      $0["levels"] = after.levelsText
    }
  }

  private func process(_ now: UInt64) -> ControlLine {
    let left = timeBox.end.map { "\(($0 > now ? $0 - now : 0) / 1_000_000_000)" } ?? ""
    return ControlLine(
      "process", "\(getpid())", ProcessIdentity.programName(), LogPolicy.current?.filter.spec ?? "", left,
      timeBox.before?.filter.spec ?? "")
  }

  private func channels(_ policy: LogPolicy) -> [ControlLine] {
    let listing = DebugListing(.ofThisProcess(), policy.filter) { name in
      policy.overrides.first { $0.name.elementsEqual(name.utf8) }?.isOn
    }
    return listing.rows.map {
      ControlLine("channel", $0.name, $0.isOn ? "on" : "off", $0.reason, $0.place, $0.about)
    }
  }

  private func levels(_ policy: LogPolicy) -> [ControlLine] {
    [ControlLine("level", "", policy.level.name)]
      + policy.levelRules.map { ControlLine("level", $0.prefix, $0.level.name) }
      + policy.filter.levels.map { ControlLine("level", $0.pattern, $0.level.name) }
  }

  private func suggestions(_ spec: String) -> [ControlLine] {
    let names = DebugCatalog.ofThisProcess().entries.map(\.name)
    return DebugSuggestion.lines(DebugFilter(parsing: spec), names, source: nil).map { ControlLine("note", $0) }
  }
}
