import CTreeRing
import Glibc
import Synchronization

/// Where the line of a debug channel that is off goes all the same, because somebody asked for it: the stream, for one task
/// (``DebugChannel/withEnabled(_:isAuthorized:_:)``); the lines that a task keeps in case it fails (``FlightRecorder``); the process's black box.
///
/// Nobody asks: a channel that is off costs its load and its branch. Somebody asks: the gates of channels that are off stay open, and each such call comes here. Ten
/// seconds after the last task's scope has ended, gates close again; a scope that opens meanwhile finds them open and has nothing to do.
enum Aside {
  /// Tasks' scopes that are open.
  private static let scopes = Atomic<Int>(0)
  /// When the last of them ended, nanoseconds of `CLOCK_MONOTONIC_COARSE`.
  private static let lastEnd = Atomic<UInt64>(0)
  /// Some gate of a channel that is off may be closed.
  private static let hasClosedGates = Atomic<Bool>(true)

  private static let patience: UInt64 = 10_000_000_000

  private static var now: UInt64 { Syscalls.now(CLOCK_MONOTONIC_COARSE) }

  /// Whether anybody may want the line of a channel that is off.
  static var isWanted: Bool {
    if unsafe tr_flight_lines() != nil || scopes.load(ordering: .acquiring) > 0 { return true }
    let end = lastEnd.load(ordering: .acquiring)
    return end != 0 && now &- end < patience
  }

  /// Somebody wants such lines, for the whole process, from now on.
  static func want() {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    openGates()
  }

  /// A task's scope opens; to be followed by ``leave()``.
  static func enter() {
    scopes.add(1, ordering: .sequentiallyConsistent)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    openGates()
  }

  /// The scope ends.
  static func leave() {
    lastEnd.store(now, ordering: .releasing)
    scopes.subtract(1, ordering: .sequentiallyConsistent)
  }

  /// Returns when every gate is open, whoever has opened it: a second task must not go on while the first is still at it.
  ///
  /// Whoever closes a gate says so first and looks for scopes afterwards (``isWantedAfterClosing()``): one of the two sees the other. Who closes one while the loop is
  /// running finds this scope, and opens the gate again; so what is stored behind the loop is true.
  private static func openGates() {
    guard hasClosedGates.load(ordering: .sequentiallyConsistent) else { return }
    Gates.channels.reopen()
    hasClosedGates.store(false, ordering: .sequentiallyConsistent)
  }

  /// A gate has just been closed: whether it must be opened again.
  static func isWantedAfterClosing() -> Bool {
    hasClosedGates.store(true, ordering: .sequentiallyConsistent)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    return isWanted
  }

  /// Whether the line of a channel belongs in the stream: the channel is on, for everybody or for this task.
  static func isInStream(_ name: LogKey) -> Bool {
    let isOn = Gates.channels.isAside(name) ? false : LogPolicy.current?.allowsChannel(name) ?? false
    return isOn || isForTasks && DebugScope.allows(name)
  }

  private static var isForTasks: Bool { scopes.load(ordering: .acquiring) > 0 }

  /// Whether anybody wants the line of a channel that is off for everybody, and it can be kept.
  static func takes(_ name: LogKey) -> Bool {
    if isForTasks {
      if DebugScope.allows(name) { return true }
      if FlightRecorder.lines != nil { return tr_flight_has_ring() }
    }
    return unsafe tr_flight_lines() != nil && tr_flight_has_ring()
  }

  /// Gives a record to who wants it.
  static func keep(_ record: UnsafeRawBufferPointer) {
    let time = Syscalls.now(CLOCK_REALTIME)
    let thread = unsafe tr_flight_thread().pointee.thread
    if let memory = unsafe tr_flight_lines(), let counter = unsafe tr_flight_count() {
      let slots = unsafe FlightSlots(memory: memory, counter: counter, count: Int(TR_FLIGHT_LINES))
      unsafe slots.append(record, time: time, thread: thread)
    }
    if isForTasks, let lines = FlightRecorder.lines { unsafe lines.slots.append(record, time: time, thread: thread) }
  }
}
