package import Foundation
import Glibc
import TreeRing

/// What a process leaves behind and shows to others: the files of a directory (rings, logs, archives), and the memory that it shares, as somebody finds it in a core.
package struct Remains {
  /// The bytes of each regular file, by name.
  package let files: [String: Data]
  /// The bytes of every writable mapping that is shared: rings, whether they are files or not.
  package let sharedMemory: Data

  /// Reads all of it. Blocking; as much memory as there is to read.
  package init(_ directory: TemporaryDirectory) throws {
    // A socket cannot be read.
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter {
      let attributes = try FileManager.default.attributesOfItem(atPath: directory.file($0))
      return attributes[.type] as? FileAttributeType == .typeRegular
    }
    files = try names.reduce(into: [:]) { files, name in
      files[name] = try Data(contentsOf: URL(fileURLWithPath: directory.file(name)))
    }
    sharedMemory = try Self.readSharedMemory()
  }

  /// Where a text stands: names of files, and `shared memory`. A number is looked for in both spellings, as text and as the eight bytes of a ring.
  package func places(of text: String) -> [String] { places(of: Data(text.utf8)) }

  /// The same for a number.
  package func places(of number: Int) -> [String] {
    places(of: unsafe withUnsafeBytes(of: number.littleEndian) { unsafe Data($0) }) + places(of: "\(number)")
  }

  private func places(of pattern: Data) -> [String] {
    files.filter { $0.value.range(of: pattern) != nil }.map(\.key).sorted()
      + (sharedMemory.range(of: pattern) != nil ? ["shared memory"] : [])
  }

  /// What could not be read.
  package struct Unreadable: Error {
    package let what: String
  }

  /// `/proc/self/maps` says where (`address-address rw-s …`), `/proc/self/mem` has it.
  private static func readSharedMemory() throws -> Data {
    let memory = unsafe open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
    guard memory >= 0 else { throw Unreadable(what: "/proc/self/mem") }
    defer { close(memory) }
    var bytes = Data()
    for line in try maps().split(separator: "\n") {
      let parts = line.split(separator: " ")
      let ends = parts[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      guard parts[1] == "rw-s", ends.count == 2 else { continue }
      var part = [UInt8](repeating: 0, count: Int(ends[1] - ends[0]))
      // Behind the end of a file there is nothing to read.
      let count = unsafe pread(memory, &part, part.count, off_t(ends[0]))
      if count > 0 { bytes.append(contentsOf: part[..<count]) }
    }
    return bytes
  }

  /// The kernel hands the list out page by page, and leaves entries out when mappings come and go in between: this reads it into memory that is there before.
  private static func maps() throws -> String {
    guard let bytes = Syscalls.contents(of: "/proc/self/maps", limit: 1 << 20) else {
      throw Unreadable(what: "/proc/self/maps")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
