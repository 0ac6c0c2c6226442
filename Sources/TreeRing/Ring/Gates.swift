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
  /// Of a channel that is off, while somebody may want its lines aside (``Aside``): its calls pass, and ask there. Such a gate has no label.
  static let aside = Level.debug.rawValue

  private static func index(_ name: LogKey) -> Int {
    unsafe Int(UInt16(truncatingIfNeeded: UInt(bitPattern: name.start)))
  }

  private func gate(_ name: LogKey) -> UnsafeMutablePointer<TRGate> { unsafe table + Self.index(name) }

  private static let owned: UInt64 = 1 << 24

  /// Writes down what was found out about `name`, unless the gate is another name's.
  func set(_ name: LogKey, label: UInt16, threshold: UInt8) {
    let gate = unsafe gate(name)
    let owner = unsafe tr_gate_owner(name.start)
    while true {
      let word = unsafe tr_load64(gate)
      guard word == 0 || word &- owner < Self.owned else { return }
      if unsafe tr_exchange_if64(gate, word, owner &+ UInt64(threshold) << 16 &+ UInt64(label)) { break }
    }
    // A test that records wants to be asked by every call. Looked at after the stores: see `LogRecorder.open`.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if LogRecorder.isRecording { reopen(at: Self.index(name)) }
  }

  /// Whether a call goes on; nil when `name` does not own its gate, or has not been found out. Asked again here, because another thread may have found it out,
  /// and closed it, since the call looked.
  func answer(_ name: LogKey, _ level: Level) -> Bool? {
    let gate = unsafe tr_load64(gate(name)) &- tr_gate_owner(name.start)
    return tr_gate_label(gate) == 0 ? nil : tr_gate_passes(gate, level.rawValue)
  }

  /// Whether `name` is known to be off for everybody, with its lines going aside.
  func isAside(_ name: LogKey) -> Bool {
    unsafe tr_load64(gate(name)) &- tr_gate_owner(name.start) == UInt64(Self.aside) << 16
  }

  /// Forgets what was found out: each name asks again at its next call. Owners stay.
  func reopen() {
    for index in 0..<Int(TR_GATE_COUNT) { reopen(at: index) }
  }

  /// Forgets what was found out about one name.
  func reopen(_ name: LogKey) {
    let gate = unsafe gate(name)
    if unsafe tr_load64(gate) &- tr_gate_owner(name.start) < Self.owned { reopen(at: Self.index(name)) }
  }

  /// One gate as it is now; 0: nobody's.
  func word(at index: Int) -> UInt64 { unsafe tr_load64(table + index) }

  /// Leaves the owner, whose lowest 16 bits are the gate's index.
  private func reopen(at index: Int) {
    let gate = unsafe table + index
    while true {
      let word = unsafe tr_load64(gate)
      let found = (word &- UInt64(index) << 8) & (Self.owned - 1)
      if unsafe word == 0 || found == 0 || tr_exchange_if64(gate, word, word &- found) { return }
    }
  }
}

extension CallPath {
  /// The exact check behind an open gate: finds out the label's threshold, and opens or closes the gate for the next calls.
  @usableFromInline
  @inline(never)
  static func allows(_ name: LogKey, _ level: Level, _ context: LogContext?) -> Bool {
    if let recorder = LogRecorder.of(context) { return recorder.allows(level) }
    if let answer = Gates.loggers.answer(name, level) { return answer }
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

  /// The same check for a call of a debug channel: whether somebody wants its line, in the stream or aside.
  @usableFromInline
  @inline(never)
  static func allowsChannel(_ name: LogKey) -> Bool {
    if let recorder = LogRecorder.of(nil) { return recorder.allowsChannel(name) }
    if let answer = Gates.channels.answer(name, .debug) { return answer }
    if Gates.channels.isAside(name), Aside.isWanted { return Aside.takes(name) }
    guard LogSystem.isStartedOrStarts() else { return false }
    let policy = LogPolicy.current
    let isOn = policy?.allowsChannel(name) ?? false
    let isAside = !isOn && Aside.isWanted
    settleChannel(name, isOn: isOn, isAside: isAside)
    if LogPolicy.current !== policy { Gates.channels.reopen(name) }
    return isOn || isAside && Aside.takes(name)
  }

  private static func settleChannel(_ name: LogKey, isOn: Bool, isAside: Bool) {
    guard !isAside else { return Gates.channels.set(name, label: 0, threshold: Gates.aside) }
    let label = labelID(name)
    // Without a label the gate of a channel that is on would look like one whose lines go aside: it stays undecided.
    let threshold = isOn ? (label == 0 ? 0 : Level.debug.rawValue) : Gates.closed
    Gates.channels.set(name, label: label, threshold: threshold)
    if !isOn, Aside.isWantedAfterClosing() { Gates.channels.reopen(name) }
  }

  /// Whether a channel is on for the caller, as the channel itself tells it: lines that only go aside do not count.
  @usableFromInline
  @inline(never)
  static func isChannelOn(_ name: LogKey) -> Bool {
    allowsChannel(name) && (LogRecorder.of(nil) != nil || !Aside.isWanted || Aside.isInStream(name))
  }

  /// The label's id for a channel, or 0: then the record carries the name. The last thing that a call asks before it takes its ring: a line that goes
  /// aside gets a ring of its own here.
  @usableFromInline
  @inline(never)
  static func channelLabel(_ name: LogKey) -> UInt16 {
    if LogRecorder.of(nil) == nil, Aside.isWanted, !Aside.isInStream(name) {
      divertAside()
      return 0
    }
    return label(name, nil)
  }
}
