import CTreeRing
import Glibc

/// What can be seen of a ring file without touching it.
package struct RingSurvey: Sendable, Equatable {
  package var path: String
  package var program: String
  package var pid: UInt32
  /// Whether the process runs.
  package var isAlive: Bool
  /// Whether it has closed its stream: it will commit nothing more to this file.
  package var isClosed: Bool
  /// Whether somebody drains the rings now.
  package var isConsumed: Bool
  /// Drained from outside (`TREERING_WRITER=external`), not by a thread of the process.
  package var isExternal: Bool
  package var rings: Int
  /// Bytes of each ring.
  package var capacity: UInt64
  /// Records committed and not taken out yet.
  package var unread: UInt64 = 0
  package var unreadBytes: UInt64 = 0
  /// Bytes that wait in the fullest ring.
  package var fullest: UInt64 = 0
  /// Most bytes that ever waited in one ring.
  package var highWater: UInt64 = 0
  package var committed: UInt64 = 0
  package var dropped: UInt64 = 0
  /// When the process began to log, nanoseconds since 1970.
  package var began: UInt64
  /// Memory that the file takes, bytes.
  package var memory: UInt64
}

extension RingSurvey {
  /// Looks at a file. Blocking; a few system calls.
  package init(path: String) throws(RingAttachment.Refusal) {
    let attachment = try RingAttachment(path: path, consumes: false)
    guard var header = attachment.readHeader() else {
      throw .unusable("\(path) was cut short while it was read")
    }
    self.init(
      path: path, program: unsafe text(tr_header_program(&header), limit: 128), pid: header.pid,
      isAlive: attachment.isProducerAlive, isClosed: header.sealed == 1, isConsumed: attachment.isConsumed,
      isExternal: header.mode == TR_MODE_EXTERNAL, rings: attachment.ringCount, capacity: UInt64(attachment.capacity),
      began: header.clock_realtime,
      memory: (try? Syscalls.status(ofPath: path)).map { UInt64(max($0.st_blocks, 0)) * 512 } ?? 0)
    for level in 0..<Int(TR_LEVELS) { unsafe dropped &+= tr_header_lost(&header)[level] }
    for index in 0..<rings {
      if var ring = attachment.readRing(index) { add(&ring) }
    }
  }

  private mutating func add(_ ring: inout TRRing) {
    unread &+= ring.sequence &- min(ring.consumed, ring.sequence)
    let waiting = ring.head &- min(ring.tail, ring.head)
    unreadBytes &+= waiting
    fullest = max(fullest, min(waiting, capacity))
    highWater = max(highWater, min(max(ring.high_water, waiting), capacity))
    committed &+= ring.sequence
    for cell in 0..<Int(TR_CAUSES * TR_LEVELS) { unsafe dropped &+= tr_ring_dropped(&ring)[cell] }
  }
}
