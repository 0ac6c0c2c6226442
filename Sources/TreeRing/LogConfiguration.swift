/// How a process logs. Every default is the one that the environment variables have.
public struct LogConfiguration: Sendable {
  /// Records below this level are not written, unless a rule of ``levels`` says otherwise.
  public var level: Level
  /// Levels for labels that begin with a prefix; the longest prefix wins. `shop` covers `shop` and `shop.checkout`, and so does `shop.*`.
  public var levels: [LevelRule]
  /// Where the writer thread puts records. Ignored under ``WriterMode/external``.
  public var sinks: [SinkConfiguration]
  /// Where the ring file lives. Nil: `$RUNTIME_DIRECTORY/treering`, `$XDG_RUNTIME_DIR/treering`, then `/dev/shm/treering-<uid>`.
  public var directory: String?
  /// Bytes of each thread's ring; rounded up to a power of two, at least 64 KiB, at most 1 GiB.
  public var ringSize: Int
  /// What a call does when its ring is full.
  public var whenFull: WhenFull
  /// Who drains the rings.
  public var writer: WriterMode
  /// How the writer thread runs. Ignored under ``WriterMode/external``.
  public var writerThread: WriterThread
  /// Names of fields whose values never reach a log.
  public var redactedKeys: RedactedKeys
  /// Debug channels that are on, in npm `debug`'s language; nil for none.
  public var debug: String?
  /// Keeps the last 128 lines of debug channels that are off in shared memory, 128 KiB, for the record of a crash. Then a call of such a channel is written,
  /// some 250 ns, instead of costing one load.
  public var flightRecorder = false
  /// Writes a crash down in shared memory, 32 KiB: signal, address, and the frames of the thread. For a signal that the program handles itself nothing is
  /// changed.
  public var crashReports = false
  /// The variable that ``debug`` was read from, for what is said about it.
  package var debugSource = "DEBUG"

  /// A configuration; what is not named has its default.
  public init(
    level: Level = .info, levels: [LevelRule] = [], sinks: [SinkConfiguration] = [.standardError()],
    directory: String? = nil, ringSize: Int = 262_144, whenFull: WhenFull = .drop, writer: WriterMode = .thread,
    writerThread: WriterThread = WriterThread(), debug: String? = nil, redactedKeys: RedactedKeys = .standard
  ) {
    self.level = level
    self.levels = levels
    self.sinks = sinks
    self.directory = directory
    self.ringSize = ringSize
    self.whenFull = whenFull
    self.writer = writer
    self.writerThread = writerThread
    self.debug = debug
    self.redactedKeys = redactedKeys
  }

  /// One entry of ``levels``.
  public struct LevelRule: Sendable, Equatable {
    /// Beginning of the labels it is for.
    public var prefix: String
    /// Their level.
    public var level: Level

    /// A rule for labels that begin with `prefix`.
    public init(prefix: String, level: Level) {
      self.prefix = prefix
      self.level = level
    }
  }

  /// What a call does when its ring is full.
  public enum WhenFull: String, Sendable, CaseIterable {
    /// The new record is dropped and counted, the lowest levels first: the last quarter of a ring is kept for info and above, the last eighth for warning and above.
    case drop
    /// The call waits until there is room, a fifth of a second at most, then drops.
    case block
  }

  /// Who drains the rings.
  public enum WriterMode: String, Sendable, CaseIterable {
    /// A thread of this process.
    case thread
    /// A collector in another process; this one does no log I/O at all.
    case external
  }
}
