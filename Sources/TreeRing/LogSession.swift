import CTreeRing
import Glibc
import Synchronization

/// One run of logging in this process, from a start to a stop: a ring file, and the thread that drains it.
///
/// Sessions are kept for ever once made (a thread may hold a pointer into the rings); a program makes one or two.
final class LogSession: Sendable {
  let writer: Writer?
  private let file: RingFile
  private let local: LocalRingsBox
  private let isExternal: Bool
  private let control: ControlServer?
  private let box: BlackBox?

  /// Makes the ring file and, where the configuration says so, the writer.
  ///
  /// - Parameters:
  ///   - isAfterlife: after `stop()`: records are kept in the file, nobody drains it.
  ///   - isFallbackAllowed: what cannot be had is replaced, with a line on standard error.
  init(_ configuration: LogConfiguration, isAfterlife: Bool, isFallbackAllowed: Bool) throws(LogError) {
    let configuration = configuration.anchored(at: Syscalls.workingDirectory())
    isExternal = configuration.writer == .external
    // The seal at the end needs the barrier, with or without a writer.
    _ = tr_membarrier_register()
    let takesPart = isExternal && tr_membarrier_register_global() == 0
    let drains = !isExternal && !isAfterlife
    let sinkList = isExternal ? "" : try Self.sinkList(configuration.sinks, isFallbackAllowed)
    let routes = drains ? try Self.openSinks(configuration.sinks, isFallbackAllowed) : []
    file = try Self.makeFile(configuration, consumes: drains, isFallbackAllowed)
    let header = unsafe file.header
    if takesPart { unsafe tr_store32(tr_header_bell_is_rung(header), 1) }
    unsafe Self.inheritLabels(header)
    unsafe SiteTable.copyAll(to: header, file.descriptor)
    let spelled = Array(sinkList.utf8)
    unsafe RingFile.copy(spelled, to: UnsafeMutableRawPointer(tr_header_sinks(header)), spelled.count)
    let producer = unsafe Self.makeProducer(file, configuration)
    let rings = unsafe LocalRings(producer)
    local = unsafe LocalRingsBox(rings, producer)
    let predecessors = file.path.map {
      Predecessors(
        directory: String($0[..<($0.lastIndex(of: "/") ?? $0.endIndex)]), program: ProcessIdentity.programName(),
        sinks: routes.map(\.sink))
    }
    writer = drains ? Writer(Drain(rings, routes: routes, requiresAll: false), predecessors: predecessors) : nil
    try writer?.start(configuration.writerThread)
    // A file that nobody drains any more has nobody to switch it.
    control = isAfterlife ? nil : file.path.flatMap { ControlServer.start(besideRing: $0) }
    box = isAfterlife ? nil : file.path.flatMap { BlackBox(configuration, besideRing: $0) }
    unsafe tr_set_producer(producer)
    // Once more: a site that was learnt since has been written to the file before this one, or is seen now.
    unsafe SiteTable.copyAll(to: header, file.descriptor)
    Self.lastConfiguration = configuration
  }

  /// Whether there is a control socket, and so a thread that watches the time of what was changed for a time.
  var isControlled: Bool { control != nil }

  /// Never freed: a thread may hold on to it.
  private static func makeProducer(
    _ file: RingFile, _ configuration: LogConfiguration
  ) -> UnsafeMutablePointer<TRProducer> {
    let memory = unsafe UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<TRProducer>.size, alignment: MemoryLayout<TRProducer>.alignment)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<TRProducer>.size)
    let producer = unsafe memory.bindMemory(to: TRProducer.self, capacity: 1)
    unsafe producer.pointee.header = file.header
    unsafe producer.pointee.fd = file.descriptor
    unsafe producer.pointee.block = configuration.whenFull == .block ? 1 : 0
    unsafe producer.pointee.generation = generations.add(1, ordering: .relaxed).newValue
    return unsafe producer
  }

  private static let generations = Atomic<UInt64>(0)

  private static func openSinks(
    _ configurations: [SinkConfiguration], _ isFallbackAllowed: Bool
  ) throws(LogError) -> [SinkRoute] {
    guard configurations.count <= Int(TR_MAX_SINKS) else {
      throw LogError("\(configurations.count) sinks are too many: give \(TR_MAX_SINKS) at most")
    }
    var routes: [SinkRoute] = []
    for (slot, configuration) in configurations.enumerated() {
      do {
        routes.append(try configuration.route(slot: slot))
      } catch {
        guard isFallbackAllowed else { throw error }
        Syscalls.complain("\(error); logging to standard error instead")
        var fallback = configuration
        fallback.target = .standardError
        routes.append(try fallback.route(slot: slot))
      }
    }
    return routes
  }

  /// What the ring file says of the sinks, for recovery. Half a list would name other files, so one that is too long is an error, or told and left out.
  private static func sinkList(
    _ sinks: [SinkConfiguration], _ isFallbackAllowed: Bool
  ) throws(LogError) -> String {
    if let list = SinkConfiguration.list(of: sinks, within: longestSinkList) { return list }
    let bytes = sinks.reduce(0) { $0 + $1.url.utf8.count + 1 } - 1
    let what = "the URLs of the sinks have \(bytes) bytes, of which a ring file keeps \(longestSinkList) at most"
    let remedy = "give shorter paths or fewer labels"
    guard isFallbackAllowed else { throw LogError("\(what): \(remedy)") }
    Syscalls.complain("\(what): after a crash the last records do not find their files; \(remedy)")
    return ""
  }

  /// Bytes of the sinks' URLs that the header of a ring file holds, without the zero byte behind them.
  private static let longestSinkList = 2047

  private static func makeFile(
    _ configuration: LogConfiguration, consumes: Bool, _ isFallbackAllowed: Bool
  ) throws(LogError) -> RingFile {
    let program = ProcessIdentity.programName()
    let mode = UInt32(configuration.writer == .external ? TR_MODE_EXTERNAL : TR_MODE_THREAD)
    do {
      let file = try RingFile.make(
        directory: configuration.directory ?? RingDirectory.standard(), program: program,
        ringSize: configuration.ringSize, mode: mode, consumes: consumes)
      let size = unsafe Int(file.header.pointee.ring_capacity)
      if size < configuration.ringSize {
        Syscalls.complain(
          "\(file.path ?? "") has no room for a ring of \(configuration.ringSize) bytes: rings have \(size); make the file system larger, or set TREERING_DIR"
        )
      }
      return file
    } catch {
      guard isFallbackAllowed else { throw error }
      let consequence =
        consumes ? "records will not survive a crash" : "no collector can reach the records, and they are lost"
      Syscalls.complain("\(error); using private memory: \(consequence)")
      return try RingFile.makeAnonymous(program: program, ringSize: configuration.ringSize)
    }
  }

  /// Gates remember label ids, so a new file begins with the labels of the one before (of the parent, in a forked child).
  private static func inheritLabels(_ header: UnsafeMutablePointer<TRProcessHeader>) {
    guard let previous = unsafe UnsafeMutablePointer<TRProcessHeader>(bitPattern: lastHeader.load(ordering: .acquiring))
    else { return lastHeader.store(UInt(bitPattern: header), ordering: .releasing) }
    let offset = Int(TR_LABELS_OFFSET)
    unsafe (UnsafeMutableRawPointer(header) + offset).copyMemory(
      from: UnsafeRawPointer(previous) + offset, byteCount: Int(TR_LABELS_SIZE))
    unsafe header.pointee.labels_end = previous.pointee.labels_end
    lastHeader.store(UInt(bitPattern: header), ordering: .releasing)
  }

  private static let lastHeader = Atomic<UInt>(0)

  // MARK: the end

  /// Closes the rings, delivers everything, writes the closing records and removes the file; under a collector, leaves the rest to it.
  func stop() {
    control?.stop()
    defer { box?.remove() }
    seal()
    if let writer {
      guard let (drain, predecessors) = writer.join() else {
        // It still reads the rings, and holds the lock: the file is recovered when this process is gone.
        return Syscalls.complain(
          "the writer hangs; the last records stay in \(file.path ?? "memory"): run treering recover")
      }
      tr_work_begin()
      defer { tr_work_end() }
      if finish(drain) {
        if let path = file.path { unsafe unlink(path) }
        // A program that lives for a moment comes to its predecessor's records here.
        predecessors?.finish(withinMilliseconds: 1000)
      }
      drain.finishSinks()
    }
    // What is left belongs to whoever comes. Closing alone would not let go of the locks: the mappings of the rings hold the open file, too.
    if file.descriptor >= 0 {
      _ = tr_unlock_byte(file.descriptor, RingFile.consumerByte)
      _ = tr_unlock_byte(file.descriptor, RingFile.producerByte)
      closeFile()
    }
  }

  /// A thread that took this session for the current one a moment ago may be making a ring in it; that takes less than a millisecond as a rule. The file of one that
  /// hangs there stays open.
  private func closeFile() {
    let descriptor = unsafe tr_take_file(local.producer)
    for _ in 0..<100 where unsafe tr_is_file_used(local.producer) { Syscalls.sleep(nanoseconds: 1_000_000) }
    if unsafe !tr_is_file_used(local.producer) { close(descriptor) }
  }

  /// Marks every ring as closed, and decides where it ends. A producer whose commit may have come too late sees the mark, and decides as well: whoever
  /// is first is right (`CallPath.wasInTime`). The barrier leaves no third possibility: a producer that has not seen the mark has moved the head
  /// before it is read here. Only then is a collector told that nothing more will come.
  private func seal() {
    let header = unsafe file.header
    unsafe tr_store32(tr_header_sealed(header), 2)
    _ = tr_membarrier()
    let rings = unsafe (0..<local.rings.ringCount).compactMap { unsafe local.rings.ring($0) }
    for index in unsafe rings.indices { unsafe _ = tr_or32(tr_ring_attention(rings[index]), TR_ATTENTION_SEALED) }
    _ = tr_membarrier()
    for index in unsafe rings.indices {
      unsafe _ = tr_exchange_if64(&rings[index].pointee.sealed_head, 0, tr_load64(rings[index]) | 1)
    }
    unsafe tr_store32(tr_header_sealed(header), 1)
    // A collector that sleeps learns at once that it can close the stream.
    if isExternal { unsafe Writer.ring(tr_header_bell(header), isShared: true) }
  }

  /// Delivers what is left. False when there is something left to recover: no sink takes anything for two seconds, or a file lacks its end.
  private func finish(_ drain: Drain) -> Bool {
    var patience = Self.patience
    while patience > 0 {
      let begin = Syscalls.now(CLOCK_MONOTONIC)
      let records = drain.counters.records
      switch drain.pass(isFinal: true) {
      // Notices alone are no progress: a sink that fails and works by turns makes them without end.
      case .delivered where drain.counters.records > records:
        patience = Self.patience
        continue
      case .delivered: break
      case .idle, .behind: if drain.closeStream() == .delivered { return !drain.leavesFileOpen }
      case .failed: break
      }
      patience -= min(Int(clamping: Syscalls.now(CLOCK_MONOTONIC) - begin), Self.longestTurn) + Self.nap
      Syscalls.sleep(nanoseconds: Self.nap)
    }
    return closeWithoutSome(drain)
  }

  /// Nanoseconds.
  private static let patience = 2_000_000_000
  /// Counted, and not measured, as a turn is measured up to a limit only: a process that is stopped meanwhile (SIGSTOP, a suspended machine) does not come back
  /// with no patience left for a sink that had no time to take anything.
  private static let nap = 10_000_000
  private static let longestTurn = 500_000_000

  /// Closes the stream for the sinks that work.
  private func closeWithoutSome(_ drain: Drain) -> Bool {
    let abandoned = drain.abandon()
    if drain.hasReadySink {
      // What is left to be delivered now is of a few notices.
      for _ in 0..<100 where drain.pass(isFinal: true) != .delivered { break }
    }
    if drain.hasReadySink, drain.closeStream() == .delivered {
      abandoned.forEach { Syscalls.complain($0) }
      return !drain.leavesFileOpen
    }
    Syscalls.complain("cannot write the last records; they stay in \(file.path ?? "memory"): run treering recover")
    return false
  }

  /// Waits until a collector has taken what is committed now.
  func waitForCollector(seconds: Int) {
    let heads = (0..<local.rings.ringCount).map { local.rings.readRing($0)?.head ?? 0 }
    for _ in 0..<seconds * 1000 {
      let isTaken = heads.enumerated().allSatisfy { (local.rings.readRing($0.offset)?.tail ?? .max) >= $0.element }
      if isTaken { return }
      Syscalls.sleep(nanoseconds: 1_000_000)
    }
  }

  var counters: LogCounters {
    var counters = LogCounters()
    counters.rings = local.rings.ringCount
    counters.sinkErrors = writer?.sinkErrorCount ?? 0
    counters.withheld = writer?.withheldCount ?? 0
    counters.suppressed = RestraintSite.suppressed.load(ordering: .relaxed)
    var dropped = [UInt64](repeating: 0, count: Int(TR_CAUSES * TR_LEVELS))
    for index in 0..<counters.rings {
      guard var ring = local.rings.readRing(index) else { continue }
      counters.emitted &+= ring.sequence
      counters.written &+= ring.consumed
      counters.truncated &+= ring.truncated
      counters.highWater = max(counters.highWater, ring.high_water)
      for cell in dropped.indices { unsafe dropped[cell] &+= tr_ring_dropped(&ring)[cell] }
    }
    for cause in DropCause.allCases { counters.add(Drain.byLevel(Array(dropped[Drain.row(of: cause)])), cause.name) }
    let header = unsafe file.header
    let lost = (0..<Int(TR_LEVELS)).map { unsafe tr_load64(tr_header_lost(header) + $0) }
    counters.add(Drain.byLevel(lost), DropCause.noRing)
    return counters
  }

  // MARK: the process's session

  private static let address = Atomic<UInt>(0)
  private static let configurations = Mutex<LogConfiguration?>(nil)

  /// The session that ran; there is none then. Of several threads that take it, one gets it.
  static func takeCurrent() -> LogSession? {
    let address = address.exchange(0, ordering: .acquiringAndReleasing)
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: address) else { return nil }
    return unsafe Unmanaged<LogSession>.fromOpaque(pointer).takeUnretainedValue()
  }

  /// The session that runs.
  static var current: LogSession? {
    get {
      guard let pointer = unsafe UnsafeRawPointer(bitPattern: address.load(ordering: .acquiring)) else { return nil }
      return unsafe Unmanaged<LogSession>.fromOpaque(pointer).takeUnretainedValue()
    }
    set {
      let pointer = newValue.map { unsafe UInt(bitPattern: Unmanaged.passRetained($0).toOpaque()) }
      address.store(pointer ?? 0, ordering: .releasing)
    }
  }

  /// What the last session was made from; a forked child and an afterlife go on with it.
  static var lastConfiguration: LogConfiguration? {
    get { configurations.withLock { $0 } }
    set { configurations.withLock { $0 = newValue } }
  }

  /// In a forked child: forgets the parent's session and its rings, and lets go of its locks. Touches no lock and no memory of the parent's.
  static func abandon() {
    tr_leave_parent()
    ControlServer.abandon()
    BlackBox.abandon()
    address.store(0, ordering: .releasing)
  }
}

/// The rings as this process sees them. Reading headers is safe from any thread; records are read by the drain alone.
@safe
private struct LocalRingsBox: @unchecked Sendable {
  let rings: LocalRings
  let producer: UnsafeMutablePointer<TRProducer>

  init(_ rings: LocalRings, _ producer: UnsafeMutablePointer<TRProducer>) {
    self.rings = rings
    unsafe self.producer = producer
  }
}
