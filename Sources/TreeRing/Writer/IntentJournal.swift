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

  /// Journals a batch. `intents` by slot: only the sinks that are written to.
  func begin(
    _ positions: [Position], _ intents: [Int: (SinkIntent, length: Int)], _ standings: Standings, lost: UInt64?,
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
    unsafe source.store(header, \.pending_lost_told, lost ?? now?.lost_told ?? 0)
    unsafe source.store(header, \.pending_closed, (now?.closed ?? 0) | standings.closed)
    storeLost(standings.lost, now)
    for slot in 0..<Int(TR_MAX_SINKS) { unsafe write(intents[slot], to: tr_header_intents(header) + slot) }
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
    if let lost = standings.lost[slot] { unsafe _ = tr_guarded_store64(tr_header_pending_lost_reached(header) + slot, lost) }
    if let now = source.readHeader() {
      unsafe source.store(header, \.pending_closed, now.pending_closed & ~(1 << UInt64(slot)) | now.closed)
    }
    unsafe write(nil, to: tr_header_intents(header) + slot)
  }

  private func storeSinks(
    _ states: [Int: TRSinkState]?, of ring: TRRing, to target: UnsafeMutablePointer<TRSinkState>
  ) {
    var ring = ring
    let before = unsafe tr_ring_sinks(&ring)
    for slot in 0..<Int(TR_MAX_SINKS) { unsafe store(states?[slot] ?? before[slot], to: target + slot) }
  }

  private func store(_ state: TRSinkState, to target: UnsafeMutablePointer<TRSinkState>) {
    var state = state
    unsafe _ = tr_guarded_copy(target, &state, MemoryLayout<TRSinkState>.size)
  }

  private func storeLost(_ lost: [Int: UInt64], _ header: TRProcessHeader?) {
    guard var header else { return }
    let before = unsafe tr_header_lost_reached(&header)
    for slot in 0..<Int(TR_MAX_SINKS) {
      unsafe _ = tr_guarded_store64(tr_header_pending_lost_reached(source.header) + slot, lost[slot] ?? before[slot])
    }
  }

  private func storeCounters(_ told: [UInt64]?, of ring: TRRing, to target: UnsafeMutablePointer<UInt64>) {
    var ring = ring
    let before = unsafe tr_ring_told(&ring)
    for cell in 0..<Int(TR_CAUSES * TR_LEVELS) {
      unsafe _ = tr_guarded_store64(target + cell, told?[cell] ?? before[cell])
    }
  }

  private func write(_ intent: (SinkIntent, length: Int)?, to target: UnsafeMutablePointer<TRIntent>) {
    var record = TRIntent()
    if let intent {
      record.kind = UInt32(IntentKind.stream)
      record.length = UInt64(intent.length)
      if case .file(let path, let device, let inode, let offset) = intent.0 {
        record.kind = UInt32(IntentKind.file)
        (record.device, record.inode, record.offset) = (device, inode, offset)
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
      for slot in 0..<Int(TR_MAX_SINKS) {
        unsafe store(tr_ring_pending_sinks(&copy)[slot], to: tr_ring_sinks(ring) + slot)
      }
      unsafe source.store(ring, \.consumed, state.pending_consumed)
      unsafe source.store(ring, \.tail, state.pending_tail)
    }
    let header = unsafe source.header
    if var now = source.readHeader() {
      unsafe source.store(header, \.lost_told, now.pending_lost_told)
      unsafe source.store(header, \.closed, now.pending_closed)
      for slot in 0..<Int(TR_MAX_SINKS) {
        unsafe _ = tr_guarded_store64(
          tr_header_lost_reached(header) + slot, tr_header_pending_lost_reached(&now)[slot])
      }
    }
    if !isLast { unsafe source.store(header, \.intent_state, 0) }
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
    let isLast = header.intent_state == 2
    var arrivals: [FileArrival] = []
    var isKnown = true
    for index in 0..<Int(TR_MAX_SINKS) {
      let intent = unsafe tr_header_intents(&header)[index]
      switch intent.kind {
      case UInt32(IntentKind.none): continue
      case UInt32(IntentKind.file): arrivals.append(FileArrival(intent, owner: source.owner))
      default: isKnown = false
      }
    }
    if !arrivals.isEmpty, arrivals.allSatisfy(\.isComplete) {
      release(isLast: isLast)
      return isLast ? .finished : .arrived
    }
    for arrival in arrivals { try arrival.undo() }
    cancel()
    return isKnown && arrivals.allSatisfy(\.isFound) ? .undone : .unknown
  }
}

enum IntentKind {
  static let none = 0
  static let file = 1
  static let stream = 2
}

/// What became of a batch that was on its way to a regular file.
private struct FileArrival {
  let path: String
  let offset: UInt64
  let length: UInt64
  private let file: (device: UInt64, inode: UInt64)
  /// The file's length now; nil when there is no such file any more.
  let size: UInt64?

  /// - Parameter owner: the ring file's. A file of another user is not touched, whatever the journal says.
  init(_ intent: TRIntent, owner: UInt32) {
    var intent = intent
    path = unsafe text(tr_intent_path(&intent), limit: Int(TR_PATH_SIZE))
    offset = intent.offset
    length = intent.length
    file = (intent.device, intent.inode)
    let status = try? Syscalls.status(ofPath: path)
    if let status, status.st_dev == intent.device, status.st_ino == intent.inode,
      status.st_uid == owner, status.st_mode & S_IFMT == S_IFREG
    {
      size = UInt64(status.st_size)
    } else {
      size = nil
    }
  }

  var isFound: Bool { size != nil }
  var isComplete: Bool { size.map { $0 >= offset &+ length } ?? false }

  /// Takes back the part of the batch that arrived.
  func undo() throws(LogError) {
    guard let size, size > offset else { return }
    do {
      // Once more by descriptor: whoever may rename files there could have put a link to another file in its place.
      let descriptor = try Syscalls.open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
      defer { close(descriptor) }
      let status = try Syscalls.status(of: descriptor)
      guard status.st_dev == file.device, status.st_ino == file.inode else { throw Errno(ESTALE) }
      guard ftruncate(descriptor, off_t(offset)) == 0 else { throw Errno.current }
    } catch {
      throw LogError("cannot take back the cut lines at the end of \(path): \(error)")
    }
  }
}

/// The text at `start`, up to a NUL or `limit` bytes.
func text(_ start: UnsafePointer<CChar>, limit: Int) -> String {
  let count = unsafe strnlen(start, limit)
  return unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
}
