import CTreeRing
import Glibc

/// The note in the process header that says which batch is on its way, so that whoever consumes next knows whether it arrived.
///
/// All fields are written before `intent_state` says that they hold; all tails are moved before it says that they no longer do.
struct IntentJournal {
  private let source: any RingSource

  init(_ source: any RingSource) { self.source = source }

  /// Where a ring stands after the batch.
  struct Position {
    let ring: Int
    let tail: UInt64
    let consumed: UInt64
    /// The drop counters that the batch tells of; nil when it tells none.
    let told: [UInt64]?

    init(_ ring: Int, _ tail: UInt64, _ consumed: UInt64, _ told: [UInt64]?) {
      self.ring = ring
      self.tail = tail
      self.consumed = consumed
      self.told = told
    }
  }

  /// How far the sinks are after the batch.
  struct Standings {
    /// Of each ring, by slot; a ring that is missing stays as it is.
    var rings: [Int: [Int: TRSinkState]] = [:]
    /// Calls without a ring that a sink was told of, by slot.
    var lost: [Int: UInt64] = [:]
    /// Slots of the sinks that get the closing records.
    var closed: UInt64 = 0
  }

  /// What one sink is about to receive.
  @unsafe
  struct Intent {
    let slot: Int
    let destination: SinkIntent
    let bytes: UnsafeRawBufferPointer
  }

  /// Journals a batch. `intents`: of the sinks that are written to. `lost`: the calls without a ring that the stream has been told of afterwards, by level.
  func begin(
    _ positions: [Position], _ intents: [Intent], _ standings: Standings, lost: [UInt64]?,
    isLast: Bool
  ) {
    let positions = Dictionary(positions.map { ($0.ring, $0) }) { first, _ in first }
    for index in 0..<source.ringCount {
      guard let ring = unsafe source.ring(index), let now = source.readRing(index) else { continue }
      let after = positions[index]
      unsafe source.store(ring, \.pending_tail, after?.tail ?? now.tail)
      unsafe source.store(ring, \.pending_consumed, after?.consumed ?? now.consumed)
      unsafe storeCounters(after?.told, of: now, to: tr_ring_pending_told(ring))
      unsafe storeSinks(standings.rings[index], of: now, to: tr_ring_pending_sinks(ring))
    }
    let header = unsafe source.header
    let now = source.readHeader()
    unsafe source.store(header, \.pending_closed, (now?.closed ?? 0) | standings.closed)
    storeLost(lost, standings.lost, now)
    for slot in 0..<Int(TR_MAX_SINKS) {
      unsafe write(intents.first { unsafe $0.slot == slot }, to: tr_header_intents(header) + slot)
    }
    unsafe source.store(header, \.intent_state, isLast ? 2 : 1)
  }

  /// A sink has refused the journalled batch, and others have it: the batch is released without it.
  ///
  /// A death between the two stores finds a batch that has not arrived everywhere, and undoes it everywhere.
  func withhold(slot: Int, _ standings: Standings) {
    for (index, states) in standings.rings {
      guard let ring = unsafe source.ring(index), let state = states[slot] else { continue }
      unsafe store(state, to: tr_ring_pending_sinks(ring) + slot)
    }
    let header = unsafe source.header
    if let lost = standings.lost[slot] {
      unsafe _ = tr_guarded_store64(tr_header_pending_lost_reached(header) + slot, lost)
    }
    if let now = source.readHeader() {
      unsafe source.store(header, \.pending_closed, now.pending_closed & ~(1 << UInt64(slot)) | now.closed)
    }
    // Not the last batch any more, if it was: one sink lacks it.
    unsafe source.store(header, \.intent_state, 1)
    unsafe write(nil, to: tr_header_intents(header) + slot)
  }

  private func storeSinks(
    _ states: [Int: TRSinkState]?, of ring: TRRing, to target: UnsafeMutablePointer<TRSinkState>
  ) {
    var ring = ring
    // All at once, from a copy of what is there: a journal is written for each batch.
    let copy = unsafe tr_ring_sinks(&ring)
    for (slot, state) in states ?? [:] { unsafe copy[slot] = state }
    unsafe _ = tr_guarded_copy(target, copy, Self.sizeOfSinks)
  }

  private static let sizeOfSinks = Int(TR_MAX_SINKS) * MemoryLayout<TRSinkState>.stride

  private func store(_ state: TRSinkState, to target: UnsafeMutablePointer<TRSinkState>) {
    var state = state
    unsafe _ = tr_guarded_copy(target, &state, MemoryLayout<TRSinkState>.size)
  }

  private func storeLost(_ told: [UInt64]?, _ reached: [Int: UInt64], _ header: TRProcessHeader?) {
    guard var header else { return }
    for level in 0..<Int(TR_LEVELS) {
      let count = unsafe told?[level] ?? tr_header_lost_told(&header)[level]
      unsafe _ = tr_guarded_store64(tr_header_pending_lost_told(source.header) + level, count)
    }
    for slot in 0..<Int(TR_MAX_SINKS) {
      let count = unsafe reached[slot] ?? tr_header_lost_reached(&header)[slot]
      unsafe _ = tr_guarded_store64(tr_header_pending_lost_reached(source.header) + slot, count)
    }
  }

  private func storeCounters(_ told: [UInt64]?, of ring: TRRing, to target: UnsafeMutablePointer<UInt64>) {
    var ring = ring
    let before = unsafe tr_ring_told(&ring)
    for cell in 0..<Int(TR_CAUSES * TR_LEVELS) {
      unsafe _ = tr_guarded_store64(target + cell, told?[cell] ?? before[cell])
    }
  }

  private func write(_ intent: Intent?, to target: UnsafeMutablePointer<TRIntent>) {
    var record = TRIntent()
    // A sink that gets nothing of this batch has nothing to be asked afterwards.
    if let intent = unsafe intent, unsafe intent.bytes.count > 0 {
      record.kind = UInt32(IntentKind.stream)
      record.length = unsafe UInt64(intent.bytes.count)
      if case .file(let path, let device, let inode, let birth, let offset) = unsafe intent.destination {
        record.kind = UInt32(IntentKind.file)
        (record.device, record.inode, record.birth, record.offset) = (device, inode, birth, offset)
        unsafe BatchMark(intent.bytes).store(in: &record)
        unsafe RingFile.copy(
          Array(path.utf8), to: UnsafeMutableRawPointer(tr_intent_path(&record)), Int(TR_PATH_SIZE) - 1)
      }
    }
    unsafe _ = tr_guarded_copy(target, &record, MemoryLayout<TRIntent>.size)
  }

  /// The batch has arrived: its records are released, and the journal is empty again.
  func release(isLast: Bool) {
    for index in 0..<source.ringCount {
      guard let ring = unsafe source.ring(index), let state = source.readRing(index) else { continue }
      var copy = state
      let told = unsafe tr_ring_pending_told(&copy)
      for cell in 0..<Int(TR_CAUSES * TR_LEVELS) {
        unsafe _ = tr_guarded_store64(tr_ring_told(ring) + cell, told[cell])
      }
      unsafe _ = tr_guarded_copy(tr_ring_sinks(ring), tr_ring_pending_sinks(&copy), Self.sizeOfSinks)
      unsafe source.store(ring, \.consumed, state.pending_consumed)
      unsafe source.store(ring, \.tail, state.pending_tail)
    }
    let header = unsafe source.header
    if var now = source.readHeader() {
      for level in 0..<Int(TR_LEVELS) {
        unsafe _ = tr_guarded_store64(tr_header_lost_told(header) + level, tr_header_pending_lost_told(&now)[level])
      }
      unsafe source.store(header, \.closed, now.pending_closed)
      for slot in 0..<Int(TR_MAX_SINKS) {
        unsafe _ = tr_guarded_store64(
          tr_header_lost_reached(header) + slot, tr_header_pending_lost_reached(&now)[slot])
      }
    }
    unsafe source.store(header, \.intent_state, isLast ? 3 : 0)
  }

  /// The batch has not been written: nothing moves.
  func cancel() { unsafe source.store(source.header, \.intent_state, 0) }

  /// What a predecessor's journal turned out to mean.
  package enum Settlement: Equatable {
    /// No batch was on its way.
    case clean
    /// The batch had arrived; it is released now.
    case arrived
    /// It was the last one, the closing records, and had arrived: nothing is left to do with this file.
    case finished
    /// The batch had not arrived, or in part: cut lines were taken back, and it will be delivered again.
    case undone
    /// It was on its way to something that cannot be asked (a pipe, a terminal, a file with several writers): it will be delivered
    /// again, and its records may be there twice.
    case unknown
  }

  /// Mends what the last consumer left. Call it first, with the consumer's lock held.
  func settle() throws(LogError) -> Settlement {
    guard var header = source.readHeader() else { throw LogError("the ring file was cut short while it was read") }
    guard header.intent_state != 0 else { return .clean }
    if header.intent_state == 3 { return .finished }
    let isLast = header.intent_state == 2
    let stream = unsafe hexadecimal(UnsafeBufferPointer(start: tr_header_stream_id(&header), count: 16))
    var arrivals: [FileArrival] = []
    var isKnown = true
    for index in 0..<Int(TR_MAX_SINKS) {
      let intent = unsafe tr_header_intents(&header)[index]
      switch intent.kind {
      case UInt32(IntentKind.none): continue
      case UInt32(IntentKind.file): arrivals.append(FileArrival(intent, owner: source.owner, stream: stream))
      default: isKnown = false
      }
    }
    if !arrivals.isEmpty, arrivals.allSatisfy({ $0.verdict == .arrived }) {
      release(isLast: isLast)
      return isLast ? .finished : .arrived
    }
    for arrival in arrivals { try arrival.undo() }
    cancel()
    return isKnown && arrivals.allSatisfy(\.canUndo) ? .undone : .unknown
  }
}

enum IntentKind {
  static let none = 0
  static let file = 1
  static let stream = 2
}

/// The text at `start`, up to a NUL or `limit` bytes.
func text(_ start: UnsafePointer<CChar>, limit: Int) -> String {
  let count = unsafe strnlen(start, limit)
  return unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
}
