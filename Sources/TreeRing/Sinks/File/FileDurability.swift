/// When a log file's bytes are asked to be on the disk (fdatasync). For a crash of the program it makes no difference; it is for a loss of power.
public enum FileDurability: Sendable, Equatable {
  /// When the operating system thinks fit, usually within half a minute. Costs nothing.
  case system
  /// After each batch, before its records are released from the rings. Costs the disk's latency per batch, on the writer thread; calls do not wait.
  case eachBatch
  /// At most so many milliseconds after a write. The writer thread wakes up for it, once after a write.
  case every(milliseconds: Int)

  /// `never`, `batch`, or a time like `500ms` or `2s`, as a sink URL spells it.
  init?(_ text: String) {
    switch text {
    case "never": self = .system
    case "batch": self = .eachBatch
    default:
      let unit = text.hasSuffix("ms") ? ("ms", 1) : ("s", 1000)
      guard text.hasSuffix(unit.0), let number = Int(text.dropLast(unit.0.count)), 1...3_600_000 ~= number else {
        return nil
      }
      self = .every(milliseconds: number * unit.1)
    }
  }

  /// The text that `init(_:)` reads back; nil for the default.
  var text: String? {
    switch self {
    case .system: nil
    case .eachBatch: "batch"
    case .every(let milliseconds): "\(milliseconds)ms"
    }
  }
}
