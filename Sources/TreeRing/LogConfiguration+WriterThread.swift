extension LogConfiguration {
  /// How the writer thread runs beside the program's own.
  public struct WriterThread: Sendable, Equatable {
    /// What `ps -L` and `top -H` call it; the kernel keeps 15 bytes.
    public var name: String
    /// Its nice value, -20 to 19; nil: the program's. One below the program's needs a right (`CAP_SYS_NICE`).
    public var nice: Int?
    /// The cores it may run on; none named: the program's.
    public var cores: Set<Int>

    /// The most cores the kernel can be told of here.
    static let mostCores = 1024

    /// Options; what is not named is as it is for any thread.
    public init(name: String = "treering-writer", nice: Int? = nil, cores: Set<Int> = []) {
      self.name = name
      self.nice = nice
      self.cores = cores
    }
  }
}

extension LogConfiguration {
  static let writerForms = "thread or external, thread also with ?nice=10&cores=0,2-3&name=log-writer"

  /// `TREERING_WRITER`: the mode, and behind a question mark, as in a sink's URL, the options of the thread. False when it is not understood.
  mutating func readWriter(_ text: String) -> Bool {
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let mode = WriterMode(rawValue: String(parts[0])) else { return false }
    var thread = WriterThread()
    for option in parts.count > 1 ? parts[1].split(separator: "&", omittingEmptySubsequences: false) : [] {
      let sides = option.split(separator: "=", maxSplits: 1).map(String.init)
      guard mode == .thread, sides.count == 2, thread.read(sides[0], sides[1]) else { return false }
    }
    writer = mode
    writerThread = thread
    return true
  }
}

extension LogConfiguration.WriterThread {
  fileprivate mutating func read(_ option: String, _ value: String) -> Bool {
    switch option {
    case "name": name = value
    case "nice":
      guard let number = Int(value), -20...19 ~= number else { return false }
      nice = number
    case "cores":
      guard let set = Self.parseCores(value) else { return false }
      cores = set
    default: return false
    }
    return true
  }

  /// `0,2-3`, as taskset(1) and the kernel spell it.
  private static func parseCores(_ text: String) -> Set<Int>? {
    var cores: Set<Int> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends[0], let last = ends.count == 2 ? ends[1] : first, ends.count <= 2, first <= last,
        first >= 0, last < mostCores
      else { return nil }
      cores.formUnion(first...last)
    }
    return cores
  }
}
