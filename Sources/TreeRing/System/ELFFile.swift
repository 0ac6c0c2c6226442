import Glibc

/// A program or library as it lies on disk (System V ABI, "Object Files"; 64 bits, little-endian), read without believing it.
///
/// Everything is read with `pread`, every offset and size is checked against the file, and what does not fit is left out: a damaged or hostile file
/// makes lists shorter, nothing else. Blocking. One thread.
package final class ELFFile {
  /// A run of the file that is mapped, or only kept in it.
  package struct Section: Sendable {
    package let name: String
    package let type: UInt32
    package let address: UInt64
    package let offset: UInt64
    package let size: UInt64
    package let link: UInt32
  }

  /// A run of the file as it is mapped: `PT_LOAD`.
  package struct Segment: Sendable {
    package let address: UInt64
    package let offset: UInt64
    package let fileSize: UInt64
  }

  package private(set) var sections: [Section] = []
  package private(set) var segments: [Segment] = []
  private let descriptor: Int32
  private let fileSize: UInt64

  /// Larger tables are not read.
  private static let largestTable: UInt64 = 512 << 20

  /// Opens a file; nil when it is not a 64-bit ELF file of this machine's byte order.
  package init?(path: String) {
    guard let descriptor = try? Syscalls.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY) else { return nil }
    self.descriptor = descriptor
    let status = try? Syscalls.status(of: descriptor)
    fileSize = status.map { $0.st_mode & S_IFMT == S_IFREG ? UInt64(clamping: $0.st_size) : 0 } ?? 0
    guard let header = read(offset: 0, count: 64), header[0..<6].elementsEqual([0x7F, 0x45, 0x4C, 0x46, 2, 1]) else {
      return nil
    }
    readSegments(header)
    readSections(header)
  }

  deinit { close(descriptor) }

  /// `count` bytes of the file, or nil when it has them not.
  package func read(offset: UInt64, count: UInt64) -> [UInt8]? {
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard !overflow, end <= fileSize, count <= Self.largestTable else { return nil }
    return unsafe [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
      while filled < buffer.count, let start = buffer.baseAddress {
        let result = unsafe pread(descriptor, start + filled, buffer.count - filled, off_t(offset) + off_t(filled))
        if result <= 0 { break }
        filled += result
      }
    }.exactly(Int(count))
  }

  /// The bytes that the file maps at a linker's address.
  package func read(address: UInt64, count: UInt64) -> [UInt8]? {
    for segment in segments where address >= segment.address {
      let skipped = address - segment.address
      guard skipped <= segment.fileSize, count <= segment.fileSize - skipped else { continue }
      let (offset, overflow) = segment.offset.addingReportingOverflow(skipped)
      return overflow ? nil : read(offset: offset, count: count)
    }
    return nil
  }

  /// UTF-8 text at a linker's address; nil when it is not all there, longer than `limit`, or not UTF-8.
  package func text(address: UInt64, count: UInt64, limit: UInt64 = 4096) -> String? {
    if count == 0 { return "" }
    guard count <= limit, let bytes = read(address: address, count: count) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  /// The contents of a section that the file holds.
  package func bytes(of section: Section) -> [UInt8]? {
    section.type == Self.noBits ? nil : read(offset: section.offset, count: section.size)
  }

  private static let noBits: UInt32 = 8

  private func readSegments(_ header: [UInt8]) {
    let (offset, size, count) = (header.word64(32), UInt64(header.word16(54)), UInt64(header.word16(56)))
    guard size >= 56, let table = read(offset: offset, count: size * count) else { return }
    for index in 0..<Int(count) {
      let at = index * Int(size)
      guard table.word32(at) == 1 else { continue }
      segments.append(
        Segment(address: table.word64(at + 16), offset: table.word64(at + 8), fileSize: table.word64(at + 32)))
    }
  }

  private func readSections(_ header: [UInt8]) {
    let (offset, size, count) = (header.word64(40), UInt64(header.word16(58)), UInt64(header.word16(60)))
    guard size >= 64, let table = read(offset: offset, count: size * count) else { return }
    let namesAt = Int(header.word16(62)) * Int(size)
    guard namesAt + 64 <= table.count,
      let names = read(offset: table.word64(namesAt + 24), count: table.word64(namesAt + 32))
    else { return }
    for index in 0..<Int(count) {
      let at = index * Int(size)
      sections.append(
        Section(
          name: names.cString(at: Int(table.word32(at))), type: table.word32(at + 4), address: table.word64(at + 16),
          offset: table.word64(at + 24), size: table.word64(at + 32), link: table.word32(at + 40)))
    }
  }
}

extension ELFFile {
  /// A name that the symbol table gives to an address.
  package struct Symbol: Sendable {
    package let name: String
    package let address: UInt64
    package let size: UInt64
  }

  /// Of what symbols stand for: the numbers of `st_info`.
  package enum SymbolKind: UInt8, Sendable {
    case object = 1
    case function = 2
  }

  /// Symbols of a kind that have a size and end in one of several ways. O(symbols).
  package func symbols(_ kind: SymbolKind, size: UInt64, endings: [String]) -> [Symbol] {
    var found: [Symbol] = []
    forEachSymbol(kind) { address, symbolSize, name in
      guard symbolSize == size else { return }
      let name = name()
      if endings.contains(where: name.hasSuffix) { found.append(Symbol(name: name, address: address, size: size)) }
    }
    return found
  }

  /// Calls `body` with address, size and name of each defined symbol of a kind, from `.symtab`, and from `.dynsym` of a stripped file. Reads both tables;
  /// the name is made when it is asked for.
  func forEachSymbol(_ kind: SymbolKind, _ body: (UInt64, UInt64, () -> String) -> Void) {
    guard let table = sections.first(where: { $0.type == 2 }) ?? sections.first(where: { $0.type == 11 }),
      sections.indices.contains(Int(table.link)), let names = bytes(of: sections[Int(table.link)]),
      let entries = bytes(of: table)
    else { return }
    for at in stride(from: 0, through: entries.count - 24, by: 24) {
      guard entries[at + 4] & 15 == kind.rawValue, entries.word16(at + 6) != 0 else { continue }
      body(entries.word64(at + 8), entries.word64(at + 16)) { names.cString(at: Int(entries.word32(at))) }
    }
  }

  /// What the dynamic linker puts at these addresses, as addresses of the linker: in a position-independent file, a pointer in initialised data is an
  /// entry of `.rela.dyn` and often zero in the data itself.
  package func relocations(at addresses: Set<UInt64>) -> [UInt64: UInt64] {
    var targets: [UInt64: UInt64] = [:]
    for section in sections where section.type == 4 {
      guard section.address != 0, let entries = bytes(of: section) else { continue }
      for at in stride(from: 0, through: entries.count - 24, by: 24) {
        let place = entries.word64(at)
        // R_X86_64_RELATIVE and R_AARCH64_RELATIVE.
        guard [8, 1027].contains(entries.word32(at + 8)), addresses.contains(place) else { continue }
        targets[place] = entries.word64(at + 16)
      }
    }
    return targets
  }
}

extension [UInt8] {
  /// Little-endian; 0 where the array ends before.
  func word64(_ at: Int) -> UInt64 { UInt64(word32(at)) | UInt64(word32(at + 4)) << 32 }
  func word32(_ at: Int) -> UInt32 { UInt32(word16(at)) | UInt32(word16(at + 2)) << 16 }
  func word16(_ at: Int) -> UInt16 {
    at >= 0 && at + 2 <= count ? UInt16(self[at]) | UInt16(self[at + 1]) << 8 : 0
  }

  /// The text from `at` to the next zero byte; empty outside of the array.
  func cString(at start: Int) -> String {
    guard indices.contains(start) else { return "" }
    let end = self[start...].firstIndex(of: 0) ?? endIndex
    return String(decoding: self[start..<end], as: UTF8.self)
  }

  fileprivate func exactly(_ expected: Int) -> [UInt8]? { count == expected ? self : nil }
}
