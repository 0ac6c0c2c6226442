/// Levels, changed while the program runs. Each change takes effect with the next call of every logger, of swift-log's too where they have no level of
/// their own, and costs them nothing. What `DEBUG` says of a logger (`DEBUG=shop.*=trace`) comes first.
///
/// A change takes some 100 µs and keeps a few hundred bytes for ever, because a log call may be reading the levels it replaces: nothing for a loop. Starts logging when
/// nothing has started it. Safe from any thread, not in a signal handler.
///
/// A change stays in a forked child and when logging is stopped and started again: a new ``LogConfiguration`` takes it back only where it has other levels than the
/// one before it. A change that `treering debug --for` has made falls back without taking these with it.
extension LogSystem {
  /// Sets the level of all loggers that no rule covers.
  public static func setLevel(_ level: Level) { change { $0.setting(level, forPrefix: nil) } }

  /// Sets the level of the loggers whose labels begin with `prefix`: `shop` covers `shop` and `shop.checkout`, and so does `shop.*`. A longer prefix wins over
  /// a shorter one.
  public static func setLevel(_ level: Level, for prefix: String) { change { $0.setting(level, forPrefix: prefix) } }

  /// Takes back what was said of `prefix`, by ``setLevel(_:for:)`` or by the configuration.
  public static func resetLevel(for prefix: String) { change { $0.setting(nil, forPrefix: prefix) } }

  /// Gives all loggers the levels of the configuration again.
  public static func resetLevels() {
    change { levels in
      guard let configuration = LogSession.lastConfiguration else { return levels }
      return LogPolicy.Levels(level: configuration.level, rules: configuration.levels)
    }
  }

  /// The lowest level that a logger with this label writes.
  public static func level(of label: String) -> Level {
    _ = isStartedOrStarts()
    return LogKey.withKey(label) { Level(rawValue: threshold(of: $0)) } ?? .critical
  }

  private static func change(_ change: (LogPolicy.Levels) -> LogPolicy.Levels) {
    _ = isStartedOrStarts()
    LogPolicy.update { $0.changingLevels(change) }
  }
}
