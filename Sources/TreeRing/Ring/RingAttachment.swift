package import CTreeRing
import Glibc

/// A ring file of another process, or of a dead one, as a collector attaches to it.
///
/// The file's owner may have fewer rights than the collector, or be hostile: nothing in it is believed. Headers are mapped and read through guarded copies, so a
/// file that is truncated underneath is an error and no SIGBUS; records are copied out (`pread`) before they are looked at.
///
/// A process has pages for all of a ring before the ring is there. So a file is believed to hold as many rings as it has pages for: it costs its owner as much memory as
/// it may cost the reader, however long it says it is. A drain copies 64 MiB at a time, or 128 KiB of each ring.
@safe
package final class RingAttachment: RingSource {
  package let path: String
  package let header: UnsafeMutablePointer<TRProcessHeader>
  package let capacity: Int
  package let owner: UInt32
  private let descriptor: Int32
  private let ringHeaderSize: Int
  private var rings: [Int: UnsafeMutablePointer<TRRing>] = unsafe [:]
  private let copies = OutputCopies()
  private var labels = [UInt8]()
  private var labelsEnd: UInt64 = 0

  /// Why a file could not be attached to.
  package enum Refusal: Error, CustomStringConvertible {
    /// Somebody else consumes it: its own writer thread, or another collector.
    case busy(String)
    /// There is no such file: nothing is wrong when it was seen a moment ago, for whoever finishes a file removes it.
    case gone(String)
    /// It is no ring file, or a damaged one, or somebody else's: it will not get better.
    case unusable(String)
    /// The system refused to open, read or map it, for lack of descriptors, of memory or of rights: another time it may not.
    case unreadable(String)

    package var description: String {
      switch self {
      case .busy(let path): "\(path) is being read by its own process or by another collector"
      case .gone(let path): "there is no ring file \(path): it is finished and removed, or the name is wrong"
      case .unusable(let reason), .unreadable(let reason): reason
      }
    }
  }

  /// Opens and checks the file. With `consumes` it also becomes its consumer, or throws ``Refusal/busy(_:)``, or ``Refusal/gone(_:)`` when somebody has finished
  /// it meanwhile. Blocking; a few system calls.
  package init(path: String, consumes: Bool) throws(Refusal) {
    self.path = path
    let descriptor: Int32
    do {
      descriptor = try Syscalls.open(path, (consumes ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    } catch  where error.code == ENOENT {
      throw .gone(path)
    } catch {
      // A symbolic link stays one.
      let reason = "cannot open the ring file \(path): \(error)"
      throw error.code == ELOOP ? .unusable(reason) : .unreadable(reason)
    }
    var isKept = false
    defer { if !isKept { close(descriptor) } }
    let (layout, owner) = try Self.check(path, descriptor)
    if consumes {
      guard tr_lock_byte(descriptor, RingFile.consumerByte) == 0 else { throw .busy(path) }
      // Opened before another consumer finished it, locked afterwards: there is nothing left to do.
      guard let now = try? Syscalls.status(of: descriptor), now.st_nlink > 0 else { throw .gone(path) }
    }
    let protection = consumes ? PROT_READ | PROT_WRITE : PROT_READ
    let memory = unsafe mmap(nil, Int(TR_HEADER_SIZE), protection, MAP_SHARED, descriptor, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
      throw .unreadable("cannot map the ring file \(path): \(Errno.current)")
    }
    isKept = true
    self.descriptor = descriptor
    self.owner = owner
    unsafe header = memory.bindMemory(to: TRProcessHeader.self, capacity: 1)
    capacity = Int(layout.ring_capacity)
    ringHeaderSize = Int(layout.ring_header_size)
    self.protection = protection
  }

  private let protection: Int32

  deinit {
    unsafe rings.values.forEach { unsafe _ = munmap($0, ringHeaderSize) }
    unsafe munmap(header, Int(TR_HEADER_SIZE))
    close(descriptor)
  }

  /// Reads the header and refuses what cannot be a ring file of this version.
  private static func check(_ path: String, _ descriptor: Int32) throws(Refusal) -> (TRProcessHeader, UInt32) {
    let status: stat
    do { status = try Syscalls.status(of: descriptor) } catch { throw .unreadable("cannot read \(path): \(error)") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unusable("\(path) is not a regular file") }
    guard status.st_uid == geteuid() || geteuid() == 0 else {
      throw .unusable("\(path) belongs to user \(status.st_uid); run as that user or as root")
    }
    var header = TRProcessHeader()
    let size = MemoryLayout<TRProcessHeader>.size
    guard status.st_size >= off_t(TR_HEADER_SIZE), unsafe pread(descriptor, &header, size, 0) == size else {
      throw .unusable("\(path) is too short for a ring file")
    }
    guard header.magic == TR_MAGIC else { throw .unusable("\(path) is not a ring file") }
    guard header.version == TR_VERSION else {
      throw .unusable(
        "\(path) has ring format \(header.version), this program reads \(TR_VERSION): use the treering that belongs to it"
      )
    }
    let capacity = header.ring_capacity
    guard header.header_size == TR_HEADER_SIZE, [4096, 16384, 65536].contains(header.ring_header_size),
      (4096...1 << 30).contains(capacity), capacity & (capacity - 1) == 0,
      header.slot_size == UInt64(header.ring_header_size) + capacity
    else { throw .unusable("\(path) has a damaged header") }
    return (header, status.st_uid)
  }

  /// Whether the process that made the file still runs. Once false it stays false.
  package var isProducerAlive: Bool { tr_is_byte_locked(descriptor, RingFile.producerByte) != 0 }

  /// Whether somebody consumes it; only for an attachment that does not itself.
  package var isConsumed: Bool { tr_is_byte_locked(descriptor, RingFile.consumerByte) != 0 }

  /// Whether the producer has promised to commit nothing more.
  package var isSealed: Bool { readHeader()?.sealed == 1 }

  /// Whether the file is of the machine's present boot, so that its ticks are this machine's.
  package var isSameBoot: Bool {
    guard var header = readHeader() else { return false }
    return unsafe Array(UnsafeBufferPointer(start: tr_header_boot_id(&header), count: 16)) == ProcessIdentity.bootID()
  }

  package func ring(_ index: Int) -> UnsafeMutablePointer<TRRing>? {
    if let ring = unsafe rings[index] { return unsafe ring }
    let offset = slot(index)
    guard let status = try? Syscalls.status(of: descriptor), Int(status.st_size) >= offset + ringHeaderSize + capacity,
      unsafe max(Int(status.st_blocks) * 512, Self.smallFile) >= pages(ofRings: rings.count + 1)
    else {
      return nil
    }
    let memory = unsafe mmap(nil, ringHeaderSize, protection, MAP_SHARED, descriptor, off_t(offset))
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { return nil }
    let ring = unsafe memory.bindMemory(to: TRRing.self, capacity: 1)
    unsafe rings[index] = ring
    return unsafe ring
  }

  /// Bytes for which a file with so many rings has pages, at least: the site table comes as it fills.
  private func pages(ofRings count: Int) -> Int { Int(TR_HEADER_SIZE) + count * (ringHeaderSize + capacity) }

  /// Bytes of a file whose pages nobody counts: not every file system tells all that it has promised.
  private static let smallFile = 64 << 20

  /// The largest record fits.
  package var longestStretch: Int { ownStretch ?? max(128 << 10, Self.bytesOfAPass / max(ringCount, 1)) }
  /// A test's.
  var ownStretch: Int?

  private static let bytesOfAPass = 64 << 20

  private func slot(_ index: Int) -> Int { Int(TR_RINGS_OFFSET) + index * (ringHeaderSize + capacity) }

  package func records(_ index: Int, from tail: UInt64, to head: UInt64) -> UnsafeRawBufferPointer? {
    guard head >= tail, head - tail <= UInt64(capacity) else { return nil }
    let count = Int(head - tail)
    let start = Int(tail & UInt64(capacity - 1))
    let base = slot(index) + ringHeaderSize
    let first = min(count, capacity - start)
    let copy = unsafe copies.buffer(index, count)
    guard unsafe readExactly(copy, first, base + start), unsafe readExactly(copy + first, count - first, base) else {
      return nil
    }
    return unsafe UnsafeRawBufferPointer(start: copy, count: count)
  }

  private func readExactly(_ target: UnsafeMutableRawPointer, _ count: Int, _ offset: Int) -> Bool {
    unsafe count == 0 || pread(descriptor, target, count, off_t(offset)) == count
  }

  package func label(_ id: UInt16) -> UnsafeRawBufferPointer? {
    // A label never changes once it is in the table, so only an id that is not known yet is worth a look at the file.
    if let known = unsafe labels.withUnsafeBytes({ unsafe LabelTable.text(id, in: $0) }) { return unsafe known }
    refreshLabels()
    return unsafe labels.withUnsafeBytes { unsafe LabelTable.text(id, in: $0) }
  }

  /// Copies the label table when it has grown. A label is in the table before the first record that uses it is committed.
  private func refreshLabels() {
    guard let end = readHeader()?.labels_end, UInt64(end) != labelsEnd || labels.isEmpty else { return }
    labelsEnd = UInt64(end)
    labels = [UInt8](repeating: 0, count: Int(TR_LABELS_SIZE))
    unsafe labels.withUnsafeMutableBytes { copy in
      guard let start = copy.baseAddress else { return }
      _ = unsafe readExactly(start, copy.count, Int(TR_LABELS_OFFSET))
    }
  }

  package func template(_ id: UInt16) -> RecordTemplate? {
    SiteTable.template(id) { offset, count in
      var copy = [UInt8](repeating: 0, count: count)
      let isRead = unsafe copy.withUnsafeMutableBytes { bytes in
        guard let start = bytes.baseAddress else { return false }
        return unsafe readExactly(start, count, Int(TR_SITES_OFFSET) + offset)
      }
      return isRead ? copy : nil
    }
  }

  /// Removes the file's name. The rings of a process that still runs go on in memory that nobody reads.
  package func retire() {
    unsafe unlink(path)
    // A process that was killed could not remove its socket.
    if !isProducerAlive { unsafe unlink(ControlSocket.path(besideRing: path)) }
  }
}

/// A private buffer for each ring's records, as large as was needed so far.
@safe
private final class OutputCopies {
  private var buffers: [Int: UnsafeMutableRawBufferPointer] = unsafe [:]

  func buffer(_ index: Int, _ count: Int) -> UnsafeMutableRawPointer {
    let known = unsafe buffers[index]
    if let known = unsafe known, let start = known.baseAddress, known.count >= count {
      return unsafe start
    }
    unsafe known?.deallocate()
    let size = max(count, 4096).roundedUpToPowerOfTwo
    let start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
    unsafe buffers[index] = UnsafeMutableRawBufferPointer(start: start, count: size)
    return unsafe start
  }

  deinit { unsafe buffers.values.forEach { unsafe $0.deallocate() } }
}
