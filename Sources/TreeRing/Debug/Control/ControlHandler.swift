import Glibc

private let log = Logger("treering.control")

/// Carries out what is asked of this process. Lives on the control socket's thread; what it changes, and until when, is in the policy, which outlives the thread.
enum ControlHandler {
  /// Does what `command` says, and tells what came of it.
  static func answer(_ command: ControlCommand, peer: (uid: UInt32, pid: Int32), now: UInt64) -> [ControlLine] {
    guard let policy = LogPolicy.current else { return [ControlLine("error", "logging has not been started")] }
    switch command {
    case .list: return [process(now)] + channels(policy)
    case .levels: return [process(now)] + levels(policy)
    case .enable(let spec, let seconds):
      return change(command, peer, now) { policy in
        policy.changingFilter(forSeconds: seconds, now: now) { _ in DebugFilter(parsing: spec) }
      }
    case .add(let spec, let seconds):
      return change(command, peer, now) { policy in
        policy.changingFilter(forSeconds: seconds, now: now) { DebugFilter(parsing: $0.spec + "," + spec) }
      }
    case .disable(let seconds):
      return change(command, peer, now) { $0.changingFilter(forSeconds: seconds, now: now) { _ in .off } }
    case .setLevels(let text, let seconds):
      guard let (level, rules) = LogConfiguration.parseLevels(text) else {
        return [ControlLine("error", "\(text) is not understood: expected a level (\(Level.names)) or info,http=debug")]
      }
      return change(command, peer, now) { policy in
        policy.changingLevels(forSeconds: seconds, now: now) { .init(level: level ?? $0.level, rules: rules) }
      }
    }
  }

  private static func change(
    _ command: ControlCommand, _ peer: (uid: UInt32, pid: Int32), _ now: UInt64,
    _ change: (LogPolicy) -> LogPolicy
  ) -> [ControlLine] {
    guard let before = LogPolicy.update(change), let after = LogPolicy.current else { return [] }
    tell("changed from outside", before, after) {
      $0["verb"] = command.verb
      $0["by.uid"] = peer.uid
      $0["by.pid"] = peer.pid
      if let seconds = command.seconds { $0["for"] = seconds }
    }
    switch command {
    case .enable(let spec, _), .add(let spec, _): return [process(now)] + suggestions(spec)
    case .setLevels: return [process(now)] + levels(after)
    default: return [process(now)]
    }
  }

  /// Puts back what a time box replaced, when its time is over.
  static func fallBack(now: UInt64) {
    guard LogPolicy.current?.isOverdue(now: now) == true,
      let last = LogPolicy.update({ $0.fallingBack(now: now) }), let policy = LogPolicy.current
    else { return }
    tell("fell back", last, policy) { $0["verb"] = "time" }
  }

  private static func tell(
    _ what: StaticString, _ before: LogPolicy, _ after: LogPolicy, _ fields: (inout LogFields) -> Void
  ) {
    log.notice("debug channels \(what.description)") {
      fields(&$0)
      $0["debug"] = after.filter.spec
      $0["debug.before"] = before.filter.spec
      $0["levels"] = after.timedLevels.value.text
      $0["levels.before"] = before.timedLevels.value.text
    }
  }

  /// The process, what is on, how long yet, and what then; the same of its levels.
  private static func process(_ now: UInt64) -> ControlLine {
    let policy = LogPolicy.current
    let (filter, levels) = (policy?.timedFilter, policy?.timedLevels)
    return ControlLine(
      "process", "\(getpid())", ProcessIdentity.programName(), filter?.value.spec ?? "",
      filter?.secondsLeft(now: now).map { "\($0)" } ?? "", filter?.before?.spec ?? "",
      levels?.secondsLeft(now: now).map { "\($0)" } ?? "", levels?.before?.text ?? "")
  }

  private static func channels(_ policy: LogPolicy) -> [ControlLine] {
    let listing = DebugListing(.ofThisProcess(), policy.filter) { name in
      policy.overrides.first { $0.name.elementsEqual(name.utf8) }?.isOn
    }
    return listing.rows.map {
      ControlLine("channel", $0.name, $0.isOn ? "on" : "off", $0.reason, $0.place, $0.about)
    }
  }

  private static func levels(_ policy: LogPolicy) -> [ControlLine] {
    [ControlLine("level", "", policy.level.name)]
      + policy.levelRules.map { ControlLine("level", $0.prefix, $0.level.name) }
      + policy.filter.levels.map { ControlLine("level", $0.pattern, $0.level.name) }
  }

  private static func suggestions(_ spec: String) -> [ControlLine] {
    let names = DebugCatalog.ofThisProcess().entries.map(\.name)
    return DebugSuggestion.lines(DebugFilter(parsing: spec), names, source: nil).map { ControlLine("note", $0) }
  }
}
