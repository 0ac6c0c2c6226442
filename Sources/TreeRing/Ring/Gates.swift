import CTreeRing
import Synchronization

/// Opens and closes the gates of loggers and channels (`TRGate` in CallSite.h).
///
/// A gate starts as nobody's, so the first call of each name comes here, learns its label id and its threshold, and writes both down. Of two names
/// whose addresses share a gate the second is decided here on every call.
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

  private func address(_ name: LogKey) -> UInt64 { unsafe UInt64(UInt(bitPattern: name.start)) << 8 }

  /// Writes down what was found out about `name`, unless the gate is another name's.
  func set(_ name: LogKey, label: UInt16, threshold: UInt8) {
    let gate = unsafe gate(name)
    let address = address(name)
    while true {
      let word = unsafe tr_load64(&gate.pointee.word)
      guard word == 0 || word &- address <= 255 else { return }
      if unsafe tr_exchange_if64(&gate.pointee.word, word, address | UInt64(threshold)) { break }
    }
    unsafe tr_store16(&gate.pointee.label, label)
    // A test that records wants to be asked by every call. Looked at after the stores: see `LogRecorder.open`.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if LogRecorder.isRecording { unsafe reopen(gate) }
  }

  /// Whether `name` owns its gate and has been found out.
  func isSettled(_ name: LogKey) -> Bool {
    let gate = unsafe gate(name)
    return unsafe tr_load64(&gate.pointee.word) &- address(name) <= 255 && gate.pointee.label != 0
  }

  /// Forgets what was found out: each name asks again at its next call. Owners stay.
  func reopen() {
    for index in 0..<Int(TR_GATE_COUNT) { unsafe reopen(table + index) }
  }

  /// Forgets what was found out about one name.
  func reopen(_ name: LogKey) {
    let gate = unsafe gate(name)
    if unsafe tr_load64(&gate.pointee.word) &- address(name) <= 255 { unsafe reopen(gate) }
  }

  private func reopen(_ gate: UnsafeMutablePointer<TRGate>) {
    unsafe tr_store16(&gate.pointee.label, 0)
    var word = unsafe tr_load64(&gate.pointee.word)
    while word & 0xFF != 0, unsafe !tr_exchange_if64(&gate.pointee.word, word, word & ~0xFF) {
      word = unsafe tr_load64(&gate.pointee.word)
    }
  }
}

extension CallPath {
  /// The exact check behind an open gate: finds out the label's threshold, and opens or closes the gate for the next calls.
  @usableFromInline
  @inline(never)
  static func allows(_ name: LogKey, _ level: Level, _ context: LogContext?) -> Bool {
    if let recorder = LogRecorder.of(context) { return recorder.allows(level) }
    if Gates.loggers.isSettled(name) { return true }
    guard LogSystem.isStartedOrStarts() else { return false }
    let policy = LogPolicy.current
    let threshold = policy?.threshold(of: name) ?? Gates.closed
    Gates.loggers.set(name, label: labelID(name), threshold: threshold)
    // A policy that came meanwhile has reopened the gates before this answer was written down.
    if LogPolicy.current !== policy { Gates.loggers.reopen(name) }
    return level.rawValue >= threshold
  }

  /// The label's id in the ring file, or 0: then the record carries the label. The last thing that a call asks before it takes its ring.
  @usableFromInline
  @inline(never)
  static func label(_ name: LogKey, _ context: LogContext?) -> UInt16 {
    guard let recorder = LogRecorder.of(context) else { return labelID(name) }
    divert(to: recorder)
    return 0
  }

  private static func labelID(_ name: LogKey) -> UInt16 {
    guard let producer = unsafe tr_producer() else { return 0 }
    return unsafe LabelTable.id(of: name, in: producer.pointee.header)
  }

  /// The same check for a call of a debug channel: whether somebody wants its line, in the stream or aside (``Aside``).
  @usableFromInline
  @inline(never)
  static func allowsChannel(_ name: LogKey) -> Bool {
    if let recorder = LogRecorder.of(nil) { return recorder.allowsChannel(name) }
    if Gates.channels.isSettled(name) { return true }
    guard LogSystem.isStartedOrStarts() else { return false }
    let policy = LogPolicy.current
    let isOn = policy?.allowsChannel(name) ?? false
    if !isOn, Aside.isWanted { return Aside.takes(name) }
    Gates.channels.set(name, label: labelID(name), threshold: isOn ? Level.debug.rawValue : Gates.closed)
    if LogPolicy.current !== policy { Gates.channels.reopen(name) }
    // Wanted since the answer was found: the gate must not stay closed.
    if !isOn, Aside.isWanted { Gates.channels.reopen(name) }
    return isOn
  }

  /// Whether a channel is on for the caller, as the channel itself tells it.
  @usableFromInline
  @inline(never)
  static func isChannelOn(_ name: LogKey) -> Bool {
    guard Aside.isWanted, LogRecorder.of(nil) == nil else { return allowsChannel(name) }
    return Aside.isInStream(name)
  }

  /// The label's id for a channel. The last thing that a call asks before it takes its ring.
  @usableFromInline
  @inline(never)
  static func channelLabel(_ name: LogKey) -> UInt16 {
    if LogRecorder.of(nil) == nil, Aside.isWanted, !Aside.isInStream(name) {
      divert(to: Aside.Target())
      return 0
    }
    return label(name, nil)
  }
}
