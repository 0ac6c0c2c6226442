import CTreeRing

/// What can be seen of a ring file without touching it.
package struct RingSurvey: Sendable, Equatable {
  package let path: String
  package let program: String
  package let pid: UInt32
  package let isAlive: Bool
  package let isConsumed: Bool
  /// Drained from outside (`TREERING_WRITER=external`), not by a thread of the process.
  package let isExternal: Bool
  package let rings: Int
  /// Records committed and not taken out yet.
  package let unread: UInt64
  package let unreadBytes: UInt64
  package let committed: UInt64
  package let dropped: UInt64

  /// Looks at a file. Blocking; a few system calls.
  package init(path: String) throws(RingAttachment.Refusal) {
    let attachment = try RingAttachment(path: path, consumes: false)
    guard var header = attachment.readHeader() else {
      throw .unusable("\(path) was cut short while it was read")
    }
    self.path = path
    program = unsafe text(tr_header_program(&header), limit: 128)
    pid = header.pid
    isAlive = attachment.isProducerAlive
    isConsumed = attachment.isConsumed
    isExternal = header.mode == TR_MODE_EXTERNAL
    rings = attachment.ringCount
    var totals = (unread: UInt64(0), bytes: UInt64(0), committed: UInt64(0), dropped: UInt64(0))
    for index in 0..<rings {
      guard var ring = attachment.readRing(index) else { continue }
      totals.unread &+= ring.sequence &- min(ring.consumed, ring.sequence)
      totals.bytes &+= ring.head &- min(ring.tail, ring.head)
      totals.committed &+= ring.sequence
      for cell in 0..<Int(TR_CAUSES * TR_LEVELS) { unsafe totals.dropped &+= tr_ring_dropped(&ring)[cell] }
    }
    (unread, unreadBytes, committed, dropped) = totals
  }
}
