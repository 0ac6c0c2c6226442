import CTreeRing
import Glibc

/// The ring file of this process, as its producer makes it.
///
/// It is written under a hidden name, locked, and only then given its own: nobody ever sees a ring file whose producer does not seem to live.
/// Locks are open-file-description locks (fcntl(2)) on single bytes: byte 0 says that the producer lives, byte 1 that somebody consumes.
@safe
struct RingFile: @unchecked Sendable {  // constants; what the header points at is shared memory with rules of its own
  let path: String?
  let descriptor: Int32
  let header: UnsafeMutablePointer<TRProcessHeader>

  static let producerByte: Int64 = 0
  static let consumerByte: Int64 = 1

  /// How the names of a program's ring files begin; the process id and the stream id follow.
  static func beginningOfName(_ program: String) -> String { "\(program.prefix(60))-" }

  /// Makes the file, with memory for one ring: of `ringSize`, or smaller where there is no more. Blocking: some system calls, and the clock's measurement (0.2 ms).
  static func make(
    directory: String, program: String, ringSize: Int, mode: UInt32, consumes: Bool
  ) throws(LogError) -> RingFile {
    try RingDirectory.prepare(directory)
    let streamID = Syscalls.random(16)
    let name = "\(beginningOfName(program))\(getpid())-\(hexadecimal(streamID[..<4]))\(RingDirectory.suffix)"
    let hidden = "\(directory)/.\(name)"
    let descriptor: Int32
    do {
      descriptor = try Syscalls.open(hidden, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    } catch {
      throw LogError("cannot make a ring file in \(directory): \(error)")
    }
    func failed(_ what: String, _ error: Errno) -> LogError {
      unsafe unlink(hidden)
      close(descriptor)
      return LogError("cannot \(what) the ring file \(hidden): \(error)")
    }
    guard tr_lock_byte(descriptor, producerByte) == 0, !consumes || tr_lock_byte(descriptor, consumerByte) == 0 else {
      throw failed("lock", .current)
    }
    guard tr_fallocate(descriptor, 0, Int64(TR_HEADER_SIZE + TR_SITES_STEP)) == 0 else {
      throw failed("allocate", .current)
    }
    let memory = unsafe mmap(nil, Int(TR_RINGS_OFFSET), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { throw failed("map", .current) }
    let header = unsafe initialise(memory, program, streamID, ringSize, mode)
    let path = "\(directory)/\(name)"
    guard unsafe allocateFirst(descriptor, header), unsafe rename(hidden, path) == 0 else {
      let error = Errno.current
      unsafe munmap(memory, Int(TR_RINGS_OFFSET))
      throw failed("make", error)
    }
    return unsafe RingFile(path: path, descriptor: descriptor, header: header)
  }

  /// Allocates the first ring, smaller where shared memory is nearly full: 64 KiB at least, or false.
  private static func allocateFirst(_ descriptor: Int32, _ header: UnsafeMutablePointer<TRProcessHeader>) -> Bool {
    while unsafe tr_fallocate(descriptor, Int64(TR_RINGS_OFFSET), Int64(header.pointee.slot_size)) != 0 {
      guard errno == ENOSPC, unsafe header.pointee.ring_capacity > smallestRing else { return false }
      // What a failed attempt allocated in part is given back.
      ftruncate(descriptor, off_t(TR_RINGS_OFFSET))
      unsafe header.pointee.ring_capacity /= 2
      unsafe header.pointee.slot_size = UInt64(header.pointee.ring_header_size) + header.pointee.ring_capacity
    }
    return true
  }

  /// Bytes of a ring that are worth having.
  static let smallestRing: UInt64 = 65_536

  /// The same in memory that dies with the process, for when no directory can be had.
  static func makeAnonymous(program: String, ringSize: Int) throws(LogError) -> RingFile {
    let memory = unsafe mmap(
      nil, Int(TR_RINGS_OFFSET), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
      throw LogError("no memory for rings: \(Errno.current)")
    }
    let header = unsafe initialise(memory, program, Syscalls.random(16), ringSize, UInt32(TR_MODE_THREAD))
    return unsafe RingFile(path: nil, descriptor: -1, header: header)
  }

  private static func initialise(
    _ memory: UnsafeMutableRawPointer, _ program: String, _ streamID: [UInt8], _ ringSize: Int, _ mode: UInt32
  ) -> UnsafeMutablePointer<TRProcessHeader> {
    let header = unsafe memory.bindMemory(to: TRProcessHeader.self, capacity: 1)
    let kind = TickClock.choose()
    let period = TickClock.measurePeriod(kind)
    let now = TickClock.Moment.now()
    let ringHeader = max(4096, Int(getpagesize()))
    let capacity = max(ringSize, ringHeader).roundedUpToPowerOfTwo
    unsafe header.pointee.version = UInt32(TR_VERSION)
    unsafe header.pointee.header_size = UInt32(TR_HEADER_SIZE)
    unsafe header.pointee.ring_header_size = UInt32(ringHeader)
    unsafe header.pointee.max_rings = UInt32(TR_MAX_RINGS)
    unsafe header.pointee.ring_capacity = UInt64(capacity)
    unsafe header.pointee.slot_size = UInt64(ringHeader + capacity)
    unsafe header.pointee.pid = UInt32(getpid())
    unsafe header.pointee.mode = mode
    unsafe header.pointee.start_time = ProcessIdentity.startTime()
    unsafe header.pointee.clock_kind = kind
    unsafe header.pointee.clock_ticks = now.ticks
    unsafe header.pointee.clock_realtime = now.nanoseconds
    unsafe header.pointee.clock_period = period
    unsafe header.pointee.sites_end = UInt32(SiteTable.firstEntry)
    unsafe header.pointee.sites_allocated = UInt32(TR_SITES_STEP)
    unsafe copy(streamID, to: tr_header_stream_id(header), 16)
    unsafe copy(ProcessIdentity.bootID(), to: tr_header_boot_id(header), 16)
    unsafe copy(Array(program.utf8), to: UnsafeMutableRawPointer(tr_header_program(header)), 127)
    unsafe tr_store64(&header.pointee.magic, TR_MAGIC)
    return unsafe header
  }

  static func copy(_ bytes: [UInt8], to target: UnsafeMutableRawPointer?, _ limit: Int) {
    unsafe bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress, let target = unsafe target else { return }
      unsafe target.copyMemory(from: start, byteCount: min(source.count, limit))
    }
  }
}

/// Two lower-case digits per byte.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

extension Int {
  /// The smallest power of two that is not below this number, which must be positive and at most 2^62.
  var roundedUpToPowerOfTwo: Int { self <= 1 ? 1 : 1 << (bitWidth - (self - 1).leadingZeroBitCount) }
}
