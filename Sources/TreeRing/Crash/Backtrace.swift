/// Names for the addresses of a process that is gone, from what was mapped in it and the files' symbol tables.
struct Backtrace {
  /// A stretch of a file that was mapped to be executed.
  private struct Mapping {
    let range: Range<UInt64>
    let offset: UInt64
    let path: String
  }

  private let mappings: [Mapping]

  /// - Parameter maps: the text of `/proc/<pid>/maps` (proc(5)); any bytes.
  init(maps: [UInt8]) {
    mappings = maps.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5).map { String(decoding: $0, as: UTF8.self) }
      guard fields.count == 6, fields[1].contains("x") else { return nil }
      let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      guard ends.count == 2, ends[0] < ends[1], let offset = UInt64(fields[2], radix: 16) else { return nil }
      let path = String(fields[5].drop { $0 == " " })
      return path.hasPrefix("/") ? Mapping(range: ends[0]..<ends[1], offset: offset, path: path) : nil
    }
  }

  /// One line for each address. The first is an instruction, the others are return addresses: the call is just before them.
  func describe(_ addresses: [UInt64]) -> [String] {
    let found = places(of: addresses)
    var functions: [String: (file: ELFFile, symbols: [UInt64: ELFFile.Symbol])] = [:]
    for path in Set(found.compactMap { $0?.path }) {
      guard let file = Self.open(path) else { continue }
      let wanted = found.compactMap { $0?.path == path ? file.address(ofOffset: $0?.offset ?? 0) : nil }
      functions[path] = (file, file.functions(at: wanted))
    }
    return zip(addresses, found).map { address, place in
      guard let place, let file = functions[place.path], let linked = file.file.address(ofOffset: place.offset),
        let symbol = file.symbols[linked]
      else { return Self.text(address, place) }
      return "\(SymbolName.function(symbol.name)) + \(linked - symbol.address) (\(place.program))".withoutControls
    }
  }

  /// The same without names: where in which file.
  func places(_ addresses: [UInt64]) -> [String] { zip(addresses, places(of: addresses)).map(Self.text) }

  private func places(of addresses: [UInt64]) -> [Place?] {
    addresses.enumerated().map { index, address in place(of: index == 0 ? address : address &- 1) }
  }

  private static func text(_ address: UInt64, _ place: Place?) -> String {
    guard let place else { return hexadecimal(address) }
    return "\(hexadecimal(place.offset)) in \(place.program)".withoutControls
  }

  /// A byte of a file.
  private struct Place {
    let path: String
    let offset: UInt64
    var program: String { path.split(separator: "/").last.map(String.init) ?? path }
  }

  private func place(of address: UInt64) -> Place? {
    guard let mapping = mappings.first(where: { $0.range.contains(address) }) else { return nil }
    let (offset, overflow) = mapping.offset.addingReportingOverflow(address - mapping.range.lowerBound)
    return overflow ? nil : Place(path: mapping.path, offset: offset)
  }

  /// A program that was replaced on disk since it was started is read through this process, where it is the same one.
  private static func open(_ path: String) -> ELFFile? {
    path == Syscalls.linkTarget("/proc/self/exe") ? ELFFile(path: "/proc/self/exe") : ELFFile(path: path)
  }

  private static func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
}

extension ELFFile {
  /// The linker's address of a byte of the file.
  func address(ofOffset offset: UInt64) -> UInt64? {
    for segment in segments where offset >= segment.offset && offset - segment.offset < segment.fileSize {
      return segment.address &+ (offset - segment.offset)
    }
    return nil
  }

  /// The functions that contain addresses, by address.
  func functions(at addresses: [UInt64]) -> [UInt64: Symbol] {
    let wanted = Set(addresses).sorted()
    var found: [UInt64: Symbol] = [:]
    forEachSymbol(.function) { address, size, name in
      // The first wanted address that is not before the function.
      var (low, high) = (0, wanted.count)
      while low < high {
        let middle = (low + high) / 2
        if wanted[middle] < address { low = middle + 1 } else { high = middle }
      }
      while low < wanted.count, wanted[low] - address < size {
        found[wanted[low]] = Symbol(name: name(), address: address, size: size)
        low += 1
      }
    }
    return found
  }
}
