import CTreeRing
import Synchronization
import TestSupport
import Testing

@testable import TreeRing

/// Gates are one table for the process, so these tests use addresses of their own in it, and run one after the other.
@Suite(.serialized) struct GateTests {
  private static let nextOffset = Atomic<Int>(40)

  /// Names that lie a multiple of 64 KiB apart share a gate.
  private func collidingNames(_ texts: [String]) -> [LogKey] {
    let distance = Int(TR_GATE_COUNT)
    // A gate that was shared once stays so: every call takes another one.
    let offset = Self.nextOffset.add(64, ordering: .relaxed).oldValue
    let memory = UnsafeMutableRawPointer.allocate(byteCount: distance * texts.count + 65_536, alignment: distance)
    return texts.enumerated().map { index, text in
      let start = unsafe (memory + index * distance + offset).assumingMemoryBound(to: UInt8.self)
      for (offset, byte) in text.utf8.enumerated() { unsafe start[offset] = byte }
      return unsafe LogKey(unsafeStart: start, count: text.utf8.count)
    }
  }

  private func opens(_ name: LogKey, _ level: Level) -> Bool {
    unsafe level.rawValue >= tr_logger_threshold(name.start)
  }

  @Test func aNameOfItsOwnIsSettledAtOnce() {
    let name = collidingNames(["alone"])[0]
    #expect(opens(name, .trace), "not known yet: the first call finds out")
    Gates.loggers.set(name, label: 7, threshold: Level.warning.rawValue)
    #expect(Gates.loggers.isSettled(name))
    #expect(!opens(name, .notice) && opens(name, .warning))
    #expect(unsafe tr_logger_label(name.start) == 7)
    Gates.loggers.set(name, label: 7, threshold: Gates.closed)
    #expect(!opens(name, .critical))
  }

  @Test func twoNamesInOneGateAreBothAskedFor() {
    let names = collidingNames(["first", "second", "third"])
    Gates.loggers.set(names[0], label: 1, threshold: Level.error.rawValue)
    #expect(!opens(names[1], .info), "until it is known that they share, the second may find the first's gate closed")
    Gates.loggers.set(names[1], label: 2, threshold: Level.debug.rawValue)
    Gates.loggers.set(names[2], label: 3, threshold: Gates.closed)
    for name in names {
      #expect(opens(name, .trace), "every call goes to the exact check")
      #expect(!Gates.loggers.isSettled(name))
      #expect(unsafe tr_logger_label(name.start) == 0)
    }
    Gates.loggers.set(names[0], label: 1, threshold: Level.error.rawValue)
    #expect(opens(names[0], .trace), "a shared gate stays open")
  }

  @Test func reopeningMakesEveryNameFindOutAgain() {
    let name = collidingNames(["again"])[0]
    Gates.loggers.set(name, label: 9, threshold: Gates.closed)
    #expect(!opens(name, .critical))
    Gates.loggers.reopen()
    #expect(opens(name, .trace) && !Gates.loggers.isSettled(name))
    Gates.loggers.set(name, label: 9, threshold: Level.info.rawValue)
    #expect(!opens(name, .debug) && Gates.loggers.isSettled(name))
  }
}
