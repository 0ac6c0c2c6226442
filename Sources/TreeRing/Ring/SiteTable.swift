public import CTreeRing
import Synchronization

/// What the call sites of a process have in common, in its ring file: a record carries a 16-bit id, and any reader finds literals and keys here.
///
/// The first record of a site says everything itself, and the pieces it was made of are noted on the way; then the site is known, to the process by the
/// addresses of the pieces (`TRSite`), and to readers by their bytes. The table begins with the offsets of the entries, by id; an entry is
///
/// | bytes | |
/// |---|---|
/// | 4 | bytes of the entry, these included |
/// | 4 | line |
/// | 2 | column |
/// | 2 | number of pieces |
/// | 2 | length of the file's name |
/// | … | the file's name, `Module/File.swift` |
/// | 2 | for each piece: its length, bit 15 set for a key … |
/// | … | … and its bytes, UTF-8 |
///
/// An entry is whole before its offset is stored, and the offset before a record of the site is committed. Nothing here locks or allocates: a signal handler may come by.
/// Where all the places that a site may stand in are others', the records of the site go on saying everything themselves.
@usableFromInline
enum SiteTable {
  static let firstEntry = Int(TR_MAX_SITES) * 4
  fileprivate static let entryHeader = 14
  /// No entry is larger: 27 pieces of a usual length have room.
  private static let largestEntry = 16_384

  // MARK: the call path

  /// What a call goes by whose site does not stand where it is looked for first: its site, if it stands in one of the next places; the learning site where it
  /// can become known; else the one that knows nothing.
  @usableFromInline
  @inline(never)
  static func unknown(
    _ thread: UnsafeMutablePointer<TRThread>, _ ring: UnsafeMutablePointer<TRRing>, _ source: LogSource
  ) -> UnsafePointer<TRSite> {
    let file = unsafe source.file.utf8Start
    if let site = unsafe known(file, source.place) { return unsafe UnsafePointer(site) }
    // A call that goes aside may stand inside one that is learning.
    let isOutermost = unsafe thread.pointee.depth == 0 && tr_flight_thread().pointee.depth == 0
    guard isOutermost, unsafe hasRoom(file, source.place) else { return unsafe tr_site_at(TR_SITE_NONE) }
    unsafe thread.pointee.learnt_file = file
    unsafe thread.pointee.learnt_file_count = UInt32(clamping: source.file.utf8CodeUnitCount)
    unsafe thread.pointee.learnt_place = source.place
    unsafe thread.pointee.piece_count = 0
    unsafe _ = tr_or32(tr_ring_attention(ring), TR_ATTENTION_LEARNING)
    return unsafe tr_site_at(TR_SITE_LEARNING)
  }

  /// Where a site may stand, at each look for it.
  private static func index(_ file: UnsafePointer<UInt8>, _ place: UInt64, _ look: Int) -> Int {
    unsafe (Int(tr_site_offset(file, place)) / MemoryLayout<TRSite>.stride + look) % Int(TR_MAX_SITES)
  }

  private static func known(_ file: UnsafePointer<UInt8>, _ place: UInt64) -> UnsafeMutablePointer<TRSite>? {
    for look in 0..<Int(TR_SITE_PROBES) {
      let site = unsafe tr_site_table() + index(file, place, look)
      if unsafe tr_site_is(site, file, place) { return unsafe site }
    }
    return nil
  }

  private static func hasRoom(_ file: UnsafePointer<UInt8>, _ place: UInt64) -> Bool {
    for look in 0..<Int(TR_SITE_PROBES) {
      if unsafe tr_load32(tr_site_detail_is_taken(tr_site_details_table() + index(file, place, look))) == 0 {
        return true
      }
    }
    return false
  }

  /// A place of the table for a site that is not known yet.
  private static func take(_ file: UnsafePointer<UInt8>, _ place: UInt64) -> Int? {
    if unsafe known(file, place) != nil { return nil }
    for look in 0..<Int(TR_SITE_PROBES) {
      let index = unsafe index(file, place, look)
      if unsafe tr_exchange_if32(tr_site_detail_is_taken(tr_site_details_table() + index), 0, 1) { return index }
    }
    return nil
  }

  /// Makes the site of the call that this thread has just finished known.
  static func learn(_ thread: UnsafeMutablePointer<TRThread>) {
    guard let start = unsafe thread.pointee.learnt_file else { return }
    unsafe thread.pointee.learnt_file = nil
    guard let index = unsafe take(start, thread.pointee.learnt_place) else { return }
    let site = unsafe tr_site_table() + index
    let details = unsafe tr_site_details_table() + index
    let pieces = unsafe tr_thread_pieces(thread)
    let count = unsafe min(Int(thread.pointee.piece_count), Int(TR_SITE_SLOTS) - 1)
    let place = unsafe thread.pointee.learnt_place
    unsafe details.pointee.file = start
    unsafe site.pointee.place = place
    for piece in 0..<count {
      let address = unsafe UInt64(UInt(bitPattern: pieces[piece].start))
      unsafe tr_site_slot_table(site)[piece] = address &+ UInt64(pieces[piece].is_key)
      unsafe tr_site_detail_counts(details)[piece] = UInt16(clamping: pieces[piece].count)
      unsafe details.pointee.keys |= pieces[piece].is_key << UInt32(piece)
      if unsafe pieces[piece].is_key == 0 { unsafe site.pointee.text_bytes = UInt64(piece + 1) * 8 }
    }
    unsafe details.pointee.pieces = UInt16(count)
    unsafe details.pointee.file_count = UInt16(clamping: thread.pointee.learnt_file_count)
    unsafe tr_store64(tr_site_id(site), UInt64(index))
    note(index)
    guard let producer = unsafe tr_producer() else { return }
    let file = unsafe tr_use_file(producer)
    defer { unsafe tr_leave_file(producer) }
    guard unsafe copy(index, to: producer.pointee.header, file) else { return }
    unsafe tr_store64(tr_site_file(site), UInt64(UInt(bitPattern: start)))
  }

  /// Whoever makes a ring file goes by this list, and not by the whole table, most of whose pages are never touched. The entry is a full barrier, as `copyAll` begins with
  /// one: the call that learns a site sees the file that is about to be current, or the file's maker sees the site.
  private static func note(_ index: Int) {
    let number = unsafe Int(tr_add64(tr_sites_known_count(), 1))
    unsafe _ = tr_exchange_if32(tr_sites_in_order() + number, 0, UInt32(index))
  }

  /// Calls `body` with each site's place. One that is being entered just now may be 0.
  private static func forEachKnown(_ body: (Int) -> Void) {
    for number in unsafe 0..<Int(tr_load64(tr_sites_known_count())) {
      body(unsafe Int(tr_load32(tr_sites_in_order() + number)))
    }
  }

  /// Lets every site be learnt anew, in a place of its own. Records of those that are known stay readable.
  static func forget() { forEachKnown { unsafe tr_store64(tr_site_file(tr_site_table() + $0), 0) } }

  // MARK: into the file

  /// Writes all sites the process knows into a new file.
  static func copyAll(to header: UnsafeMutablePointer<TRProcessHeader>, _ file: Int32) {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    forEachKnown { unsafe _ = copy($0, to: header, file) }
  }

  /// Writes one site's entry, unless it is there. False when there is no room for it.
  private static func copy(
    _ index: Int, to header: UnsafeMutablePointer<TRProcessHeader>, _ file: Int32
  ) -> Bool {
    let site = unsafe tr_site_table() + index
    guard unsafe tr_load64(tr_site_id(site)) != 0 else { return false }
    let table = unsafe UnsafeMutableRawPointer(header) + Int(TR_SITES_OFFSET)
    if unsafe tr_load32(table + index * 4) != 0 { return true }
    let details = unsafe tr_site_details_table() + index
    let size = unsafe entrySize(details)
    guard size <= largestEntry, let offset = unsafe allocate(size, header, file) else { return false }
    unsafe write(site, details, size, to: table + offset)
    unsafe tr_store32(table + index * 4, UInt32(offset))
    return true
  }

  private static func entrySize(_ details: UnsafeMutablePointer<TRSiteDetails>) -> Int {
    var size = unsafe entryHeader + Int(details.pointee.file_count)
    for piece in unsafe 0..<Int(details.pointee.pieces) {
      size += unsafe 2 + Int(tr_site_detail_counts(details)[piece])
    }
    return (size + 7) & ~7
  }

  private static func allocate(
    _ size: Int, _ header: UnsafeMutablePointer<TRProcessHeader>, _ file: Int32
  ) -> Int? {
    while true {
      let end = unsafe tr_load32(tr_header_sites_end(header))
      guard Int(end) + size <= Int(TR_SITES_SIZE) else { return nil }
      let allocated = unsafe tr_load32(tr_header_sites_allocated(header))
      if Int(end) + size > Int(allocated) {
        // Pages first: a full disk is an error here, and no SIGBUS when the entry is written.
        let step = Int64(TR_SITES_STEP)
        if file == TR_FILE_CLOSED { return nil }
        if file >= 0, tr_fallocate(file, Int64(TR_SITES_OFFSET) + Int64(allocated), step) != 0 { return nil }
        unsafe _ = tr_exchange_if32(tr_header_sites_allocated(header), allocated, allocated + UInt32(TR_SITES_STEP))
      } else if unsafe tr_exchange_if32(tr_header_sites_end(header), end, end + UInt32(size)) {
        return Int(end)
      }
    }
  }

  private static func write(
    _ site: UnsafeMutablePointer<TRSite>, _ details: UnsafeMutablePointer<TRSiteDetails>, _ size: Int,
    to entry: UnsafeMutableRawPointer
  ) {
    let pieces = unsafe Int(details.pointee.pieces)
    let file = unsafe Int(details.pointee.file_count)
    unsafe entry.storeBytes(of: UInt32(size).littleEndian, as: UInt32.self)
    unsafe (entry + 4).storeBytes(
      of: UInt32(truncatingIfNeeded: site.pointee.place >> 16).littleEndian, as: UInt32.self)
    unsafe (entry + 8).storeBytes(of: UInt16(truncatingIfNeeded: site.pointee.place).littleEndian, as: UInt16.self)
    unsafe (entry + 10).storeBytes(of: UInt16(pieces).littleEndian, as: UInt16.self)
    unsafe (entry + 12).storeBytes(of: UInt16(file).littleEndian, as: UInt16.self)
    if let name = unsafe details.pointee.file { unsafe tr_copy(entry + entryHeader, name, file) }
    var at = unsafe entry + entryHeader + file
    for piece in 0..<pieces {
      let slot = unsafe tr_site_slot_table(site)[piece]
      let isKey = unsafe tr_site_detail_is_key(details, UInt32(piece))
      let count = unsafe tr_site_detail_counts(details)[piece]
      unsafe at.storeBytes(of: (count | (isKey ? 0x8000 : 0)).littleEndian, as: UInt16.self)
      if let start = unsafe UnsafeRawPointer(bitPattern: UInt(slot) &- (isKey ? 1 : 0)) {
        unsafe tr_copy(at + 2, start, Int(count))
      }
      unsafe at += 2 + Int(count)
    }
  }

  /// Copies a site's entry to `place`, for a record that has to be read without this table. Returns its size; 0 when there is none, or no room for it.
  static func copyEntry(_ id: UInt16, to place: UnsafeMutableRawPointer, room: Int) -> Int {
    guard id >= TR_SITE_FIRST, id < TR_MAX_SITES else { return 0 }
    let site = unsafe tr_site_table() + Int(id)
    let details = unsafe tr_site_details_table() + Int(id)
    guard unsafe tr_load64(tr_site_id(site)) != 0 else { return 0 }
    let size = unsafe entrySize(details)
    guard size <= room else { return 0 }
    unsafe write(site, details, size, to: place)
    return size
  }

  // MARK: reading

  /// What this process knows of a site of its own.
  static func template(_ id: UInt16) -> RecordTemplate? {
    guard id >= TR_SITE_FIRST, id < TR_MAX_SITES else { return nil }
    let site = unsafe tr_site_table() + Int(id)
    let details = unsafe tr_site_details_table() + Int(id)
    guard unsafe tr_load64(tr_site_id(site)) != 0 else { return nil }
    let size = unsafe entrySize(details)
    let entry = unsafe [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
      unsafe bytes.initialize(repeating: 0)
      if let start = bytes.baseAddress { unsafe write(site, details, size, to: UnsafeMutableRawPointer(start)) }
      count = size
    }
    return RecordTemplate(entry: entry)
  }

  /// Reads a site's entry. `read` returns so many bytes of the table from an offset, or nil. The bytes may be anything.
  static func template(_ id: UInt16, _ read: (_ offset: Int, _ count: Int) -> [UInt8]?) -> RecordTemplate? {
    guard id >= TR_SITE_FIRST, id < TR_MAX_SITES, let offset = read(Int(id) * 4, 4).map({ Int($0.integer(0, 4)) }),
      offset >= firstEntry, offset + entryHeader <= Int(TR_SITES_SIZE),
      let size = read(offset, 4).map({ Int($0.integer(0, 4)) }), entryHeader...largestEntry ~= size,
      offset + size <= Int(TR_SITES_SIZE), let entry = read(offset, size), entry.count == size
    else { return nil }
    return RecordTemplate(entry: entry)
  }
}

extension [UInt8] {
  /// A little-endian number of up to 8 bytes; the caller has seen that they are there.
  fileprivate func integer(_ offset: Int, _ count: Int) -> UInt64 {
    self[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension RecordTemplate {
  /// Nil when the bytes are no entry.
  convenience init?(entry: [UInt8]) {
    guard entry.count >= SiteTable.entryHeader else { return nil }
    var at = SiteTable.entryHeader + Int(entry.integer(12, 2))
    guard at <= entry.count else { return nil }
    let file = String(decoding: entry[SiteTable.entryHeader..<at], as: UTF8.self)
    var pieces: [(isKey: Bool, text: Range<Int>)] = []
    for _ in 0..<min(Int(entry.integer(10, 2)), Int(TR_SITE_SLOTS)) {
      guard at + 2 <= entry.count else { return nil }
      let count = entry.integer(at, 2)
      let text = at + 2..<at + 2 + Int(count & 0x7FFF)
      guard text.upperBound <= entry.count else { return nil }
      pieces.append((count & 0x8000 != 0, text))
      at = text.upperBound
    }
    self.init(
      bytes: entry, pieces: pieces, file: file, line: UInt32(entry.integer(4, 4)), column: UInt32(entry.integer(8, 2)))
  }
}
