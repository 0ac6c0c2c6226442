import CTreeRing
import Glibc

/// The files of one log that were put aside: their names, and what is to be done with them.
struct RotatedFiles {
  let directory: String
  /// The log file's name without its directory.
  let base: String
  private let path: String

  init(of path: String) {
    self.path = path
    (directory, base) = splitPath(path)
  }

  func path(_ name: String) -> String { directory == "." ? name : "\(directory)/\(name)" }

  /// Puts the log file aside. The caller holds its rotation lock.
  func rename(_ now: UInt64) throws(Errno) {
    let youngest = try names().map(\.stamp).max()
    for stamp in RotatedName.stamps(at: now, after: youngest, count: 1000) {
      if unsafe tr_rename_new(path, "\(path).\(stamp)") == 0 { return }
      if errno != EEXIST { throw .current }
    }
    throw Errno(EEXIST)
  }

  /// What is there.
  func names() throws(Errno) -> [RotatedName] {
    try Syscalls.list(directory).compactMap { RotatedName($0, base: base) }
  }

  /// What is to be done, decided without looking at the disk. Stamps; each may have several files.
  struct Plan: Equatable {
    /// Are removed: too many, or too old.
    var remove: [String] = []
    /// Have a plain file that is to be compressed.
    var compress: [String] = []
    /// Have a plain file whose compressed form is complete: only its removal was missing.
    var finish: [String] = []
    /// Have nothing but a compression that was given up.
    var abandoned: [String] = []
  }

  static func plan(_ names: [RotatedName], _ rotation: FileRotation, now: UInt64) -> Plan {
    var plan = Plan()
    let files = Dictionary(grouping: names, by: \.stamp).mapValues { $0.map(\.form) }
    let stamps = files.filter { $0.value.contains { $0 != .partial } }.keys.sorted(by: >)
    plan.abandoned = files.keys.filter { !stamps.contains($0) }.sorted()
    // A century is as good as any longer time, and can be reckoned with.
    let age = UInt64(min(max(rotation.days ?? 0, 0), 36_500)) * FileRotation.Period.daily.nanoseconds
    let oldest = rotation.days == nil || age > now ? "" : RotatedName.stamp(at: now - age)
    for (position, stamp) in stamps.enumerated() {
      let forms = files[stamp] ?? []
      let isComplete = forms.contains { if case .compressed = $0 { true } else { false } }
      if position >= rotation.keep ?? .max || stamp < oldest {
        plan.remove.append(stamp)
      } else if forms.contains(.plain), isComplete {
        plan.finish.append(stamp)
      } else if forms.contains(.plain), rotation.compression != nil {
        plan.compress.append(stamp)
      }
    }
    return plan
  }
}
