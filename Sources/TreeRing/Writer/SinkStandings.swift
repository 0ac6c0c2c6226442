import CTreeRing

/// What the ring file remembers of how far each sink is, from one consumer to the next.
///
/// The numbers belong to a sink by its name: a collector that takes over a dead process's rings has other sinks in the same places, and begins anew.
struct SinkStandings {
  let source: any RingSource

  /// Gives the line its slot: forgets what another sink has left there, or takes over what its own predecessor had missed.
  func adopt(_ line: SinkLine) {
    guard let slot = line.slot, var header = source.readHeader() else { return }
    let key = Self.key(of: line.sink.name)
    if unsafe tr_header_sink_keys(&header)[slot] == key {
      line.reachLost(unsafe tr_header_lost_reached(&header)[slot])
      for index in 0..<source.ringCount { inherit(line, slot, ring: index) }
    } else {
      for index in 0..<source.ringCount { reset(slot, ring: index) }
      let told = unsafe UnsafeBufferPointer(start: tr_header_lost_told(&header), count: Int(TR_LEVELS)).reduce(0, &+)
      line.reachLost(told)
      unsafe _ = tr_guarded_store64(tr_header_lost_reached(source.header) + slot, told)
      unsafe _ = tr_guarded_store64(tr_header_sink_keys(source.header) + slot, key)
    }
  }

  private func inherit(_ line: SinkLine, _ slot: Int, ring index: Int) {
    guard var ring = source.readRing(index) else { return }
    let state = unsafe tr_ring_sinks(&ring)[slot]
    guard state.owed > 0 || state.owed_drops > 0 else { return }
    var loss = RingLoss(first: min(state.reached, ring.consumed), end: ring.consumed)
    loss.count = min(state.owed, loss.end &- loss.first)
    loss.byLevel = loss.byLevel.map { _ in 0 }
    loss.untold = state.owed_drops
    line.inherit(loss, ring: index)
  }

  private func reset(_ slot: Int, ring index: Int) {
    guard let ring = unsafe source.ring(index), let now = source.readRing(index) else { return }
    var state = TRSinkState(reached: now.consumed, owed: 0, owed_drops: 0, filtered: 0)
    unsafe _ = tr_guarded_copy(tr_ring_sinks(ring) + slot, &state, MemoryLayout<TRSinkState>.size)
  }

  /// FNV-1a, 64 bits, of the name; never 0, which stands for nobody.
  static func key(of name: String) -> UInt64 {
    let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return max(hash, 1)
  }

  /// A ring's numbers for one sink, now.
  static func state(_ ring: TRRing, slot: Int) -> TRSinkState {
    var ring = ring
    return unsafe tr_ring_sinks(&ring)[slot]
  }
}
