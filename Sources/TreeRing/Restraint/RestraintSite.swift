import CTreeRing
import Glibc
import Synchronization

/// The memory of one restrained call in the source, shared by all threads. No lock and no allocation: two threads that come at the same time are both right.
@safe
struct RestraintSite {
  private let entry: UnsafeMutablePointer<TRRestraint>

  /// Records that were held back, of all calls, told or not.
  static let suppressed = Atomic<UInt64>(0)

  /// The memory of the call at `source`; nil when there is no room for it: then nothing is held back.
  ///
  /// - Parameter name: the label under which the rest is told when logging stops; its bytes live for ever.
  init?(_ source: LogSource, level: Level, folds: Bool, isChannel: Bool = false, name: LogKey?) {
    var identity = SipHash(key: (0, 0))
    unsafe identity.combine(UInt64(UInt(bitPattern: source.file.utf8Start)))
    identity.combine(source.place)
    guard source.place != 0, let entry = unsafe tr_restraint(max(identity.finish(), 1)) else { return nil }
    unsafe self.entry = entry
    guard let name, unsafe tr_restraint_place(entry) == 0 else { return }
    unsafe tr_restraint_describe(
      entry, source.file.utf8Start, UInt32(clamping: source.file.utf8CodeUnitCount), source.place, name.start,
      UInt16(clamping: name.count), level.rawValue,
      (folds ? 1 : 0) | (isChannel ? 2 : 0))
  }

  private init(_ entry: UnsafeMutablePointer<TRRestraint>) { unsafe self.entry = entry }

  /// What becomes of a record.
  ///
  /// - Parameters:
  ///   - now: milliseconds of a clock that only goes on.
  ///   - hash: of what the record says; only repeats need it.
  func judge(_ restraint: Restraint, now: UInt64, hash: UInt64 = 0) -> RestraintVerdict {
    switch restraint {
    case .rate(let count, let milliseconds):
      return admit(atMost: count, per: milliseconds, now: now) ? passing() : withholding()
    case .sample(let count):
      let number = unsafe tr_add64(tr_restraint_window(entry), 1)
      let passes = count > 0 && number % UInt64(clamping: count) == 0
      if !passes { Self.suppressed.add(1, ordering: .relaxed) }
      return RestraintVerdict(passes: passes)
    case .repeats(let milliseconds):
      return isRepeated(hash, within: milliseconds, now: now) ? withholding() : passing()
    }
  }

  private func admit(atMost limit: Int, per period: UInt64, now: UInt64) -> Bool {
    while true {
      let window = unsafe RateWindow(rawValue: tr_load64(tr_restraint_window(entry)))
      let (after, passes) = window.admitting(atMost: limit, per: period, now: now)
      if after == window { return passes }
      if unsafe tr_exchange_if64(tr_restraint_window(entry), window.rawValue, after.rawValue) { return passes }
    }
  }

  private func isRepeated(_ hash: UInt64, within period: UInt64, now: UInt64) -> Bool {
    if unsafe tr_load64(tr_restraint_last(entry)) == hash,
      unsafe now &- tr_load64(tr_restraint_window(entry)) < period
    {
      return true
    }
    unsafe tr_store64(tr_restraint_last(entry), hash)
    unsafe tr_store64(tr_restraint_window(entry), now)
    return false
  }

  private func withholding() -> RestraintVerdict {
    unsafe _ = tr_add64(tr_restraint_withheld(entry), 1)
    Self.suppressed.add(1, ordering: .relaxed)
    return RestraintVerdict(passes: false)
  }

  private func passing() -> RestraintVerdict { RestraintVerdict(passes: true, withheld: takeWithheld()) }

  /// Records held back since this was last asked.
  private func takeWithheld() -> UInt64 {
    while true {
      let count = unsafe tr_load64(tr_restraint_withheld(entry))
      if count == 0 { return 0 }
      if unsafe tr_exchange_if64(tr_restraint_withheld(entry), count, 0) { return count }
    }
  }
}

// MARK: the end

extension RestraintSite {
  /// Tells what was held back and not told, because nothing was logged there since. For the end of logging.
  static func tellRest() {
    for index in 0..<Int(TR_RESTRAINT_COUNT) {
      let entry = unsafe tr_restraint_table() + index
      guard unsafe tr_restraint_place(entry) != 0 else { continue }
      let count = unsafe RestraintSite(entry).takeWithheld()
      guard count > 0, let name = unsafe entry.pointee.name, let file = unsafe entry.pointee.file else { continue }
      let path = unsafe String(
        decoding: UnsafeBufferPointer(start: file, count: Int(entry.pointee.file_count)), as: UTF8.self)
      let call = unsafe RestrainedCall(
        restraint: .sample(count: 1), level: Level(rawValue: entry.pointee.level) ?? .info, source: .none,
        name: LogKey(unsafeStart: name, count: Int(entry.pointee.name_count)), context: nil,
        isChannel: entry.pointee.kind & 2 != 0, canBeToldLater: true)
      guard call.isOn else { continue }
      unsafe call.tell(count, folds: entry.pointee.kind & 1 != 0, file: path, line: tr_restraint_place(entry) >> 16)
    }
  }

  /// In a forked child: what the parent held back is the parent's to tell.
  static func forget() {
    suppressed.store(0, ordering: .relaxed)
    for index in 0..<Int(TR_RESTRAINT_COUNT) {
      unsafe tr_store64(tr_restraint_withheld(tr_restraint_table() + index), 0)
    }
  }
}
