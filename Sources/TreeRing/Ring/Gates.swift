import CTreeRing

/// Opens and closes the gates of loggers and channels (`TRGate` in CallSite.h).
///
/// A gate starts at 0, so the first call of each name comes here, learns its label id and its threshold, and writes both down. Two names whose
/// addresses share a gate keep it at 0 and are decided here on every call: rare, slower, right.
@safe
struct Gates {
  private let table: UnsafeMutablePointer<TRGate>

  /// Those of loggers, which compare with the level of their label.
  static var loggers: Gates { unsafe Gates(table: tr_logger_gate_table()) }
  /// Those of debug channels: on lets `debug` pass, off nothing.
  static var channels: Gates { unsafe Gates(table: tr_channel_gate_table()) }

  /// Nothing passes.
  static let closed: UInt8 = 255

  private func gate(_ name: LogKey) -> UnsafeMutablePointer<TRGate> {
    unsafe table + Int(UInt16(truncatingIfNeeded: UInt(bitPattern: name.start)))
  }

  /// Writes down what was found out about `name`.
  func set(_ name: LogKey, label: UInt16, threshold: UInt8) {
    let gate = unsafe gate(name)
    let address = unsafe UInt64(UInt(bitPattern: name.start))
    if unsafe tr_exchange_if64(&gate.pointee.key, 0, address) || tr_load64(&gate.pointee.key) == address {
      unsafe tr_store16(&gate.pointee.label, label)
      if unsafe gate.pointee.shared == 0 { unsafe tr_store8(&gate.pointee.threshold, threshold) }
    } else {
      unsafe tr_store8(&gate.pointee.shared, 1)
      unsafe tr_store8(&gate.pointee.threshold, 0)
    }
  }

  /// Whether `name` owns its gate alone and has been found out.
  func isSettled(_ name: LogKey) -> Bool {
    let gate = unsafe gate(name)
    return unsafe tr_load64(&gate.pointee.key) == UInt64(UInt(bitPattern: name.start)) && gate.pointee.shared == 0
      && gate.pointee.label != 0
  }

  /// Forgets every threshold: each name finds out again at its next call. Label ids stay.
  func reopen() {
    for index in 0..<Int(TR_GATE_COUNT) { unsafe tr_store8(&table[index].threshold, 0) }
    for index in 0..<Int(TR_GATE_COUNT) { unsafe tr_store16(&table[index].label, 0) }
  }
}

extension CallPath {
  /// The exact check behind an open gate: finds out the label's threshold, and opens or closes the gate for the next calls.
  @usableFromInline
  @inline(never)
  static func allows(_ name: LogKey, _ level: Level) -> Bool {
    if Gates.loggers.isSettled(name) { return true }
    guard LogSystem.isStartedOrStarts() else { return false }
    let threshold = LogSystem.threshold(of: name)
    Gates.loggers.set(name, label: label(name), threshold: threshold)
    return level.rawValue >= threshold
  }

  /// The label's id in the ring file, or 0: then the record carries the label.
  @usableFromInline
  @inline(never)
  static func label(_ name: LogKey) -> UInt16 {
    guard let producer = unsafe tr_producer() else { return 0 }
    return unsafe LabelTable.id(of: name, in: producer.pointee.header)
  }

  /// The same check for a debug channel.
  @usableFromInline
  @inline(never)
  static func allowsChannel(_ name: LogKey) -> Bool {
    if Gates.channels.isSettled(name) { return true }
    guard LogSystem.isStartedOrStarts() else { return false }
    let isOn = DebugChannel.filterAllows(name)
    Gates.channels.set(name, label: label(name), threshold: isOn ? Level.debug.rawValue : Gates.closed)
    return isOn
  }
}
