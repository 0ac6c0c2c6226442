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

  /// Journals a batch.
  func begin(
    _ positions: [Position], _ intents: [(SinkIntent, bytes: UnsafeRawBufferPointer)], lost: UInt64?, isLast: Bool
  ) {
    let positions = Dictionary(positions.map { ($0.ring, $0) }) { first, _ in first }
    for index in 0..<source.ringCount {
      guard let ring = unsafe source.ring(index), let now = source.readRing(index) else { continue }
      let after = positions[index]
      unsafe source.store(ring, \.pending_tail, after?.tail ?? now.tail)
      unsafe source.store(ring, \.pending_consumed, after?.consumed ?? now.consumed)
      unsafe storeCounters(after?.told, of: now, to: tr_ring_pending_told(ring))
    }
    let header = unsafe source.header
    unsafe source.store(header, \.pending_lost_told, lost ?? source.readHeader()?.lost_told ?? 0)
    for index in 0..<Int(TR_MAX_SINKS) {
      unsafe write(index < intents.count ? intents[index] : nil, to: tr_header_intents(header) + index)
    }
    unsafe source.store(header, \.intent_state, isLast ? 2 : 1)
  }

  private func storeCounters(_ told: [UInt64]?, of ring: TRRing, to target: UnsafeMutablePointer<UInt64>) {
    var ring = ring
    let before = unsafe tr_ring_told(&ring)
    for cell in 0..<Int(TR_CAUSES * TR_LEVELS) {
      unsafe _ = tr_guarded_store64(target + cell, told?[cell] ?? before[cell])
    }
  }

  private func write(_ intent: (SinkIntent, bytes: UnsafeRawBufferPointer)?, to target: UnsafeMutablePointer<TRIntent>)
  {
    var record = TRIntent()
    // A sink that gets nothing of this batch has nothing to be asked afterwards.
    if let (destination, bytes) = unsafe intent, bytes.count > 0 {
      record.kind = UInt32(IntentKind.stream)
      record.length = UInt64(bytes.count)
      if case .file(let path, let device, let inode, let birth, let offset) = destination {
        record.kind = UInt32(IntentKind.file)
        (record.device, record.inode, record.birth, record.offset) = (device, inode, birth, offset)
        unsafe BatchMark(bytes).store(in: &record)
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
      unsafe source.store(ring, \.consumed, state.pending_consumed)
      unsafe source.store(ring, \.tail, state.pending_tail)
    }
    let header = unsafe source.header
    if let pending = source.readHeader()?.pending_lost_told { unsafe source.store(header, \.lost_told, pending) }
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
    return isKnown && !arrivals.contains { $0.verdict == .unknown } ? .undone : .unknown
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
