import Glibc

/// The program and libraries that a process consists of, by the kernel's account (proc(5), maps).
package enum LoadedFiles {
  /// Paths of files with code, each once, the program first. `process` is a pid or `self`. Empty when it is gone or another user's.
  package static func paths(of process: String) -> [String] {
    guard let maps = Syscalls.contents(of: "/proc/\(process)/maps", limit: 4 << 20) else { return [] }
    // The program is read through the link: it may have been replaced on disk since it was started.
    let program = Syscalls.linkTarget("/proc/\(process)/exe")
    var paths = ["/proc/\(process)/exe"]
    for line in maps.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
      guard fields.count == 6, fields[1].contains(UInt8(ascii: "x")) else { continue }
      let path = String(decoding: fields[5].drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
      if path.hasPrefix("/"), path != program, !path.hasSuffix(" (deleted)"), !paths.contains(path) {
        paths.append(path)
      }
    }
    return paths
  }
}
