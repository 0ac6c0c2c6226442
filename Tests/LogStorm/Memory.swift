import Glibc
import TreeRing

/// What the kernel says of this process.
enum Memory {
  /// Resident memory in KiB, shared pages included.
  static var residentKilobytes: Int { Int(field("VmRSS:")) ?? 0 }

  static var descriptors: Int {
    guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
    defer { unsafe _ = closedir(directory) }
    var count = 0
    while unsafe readdir(directory) != nil { count += 1 }
    return count
  }

  static var threads: Int { Int(field("Threads:")) ?? 0 }

  private static func field(_ name: String) -> String {
    guard let bytes = Syscalls.contents(of: "/proc/self/status", limit: 65_536) else { return "" }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix(name) }) else { return "" }
    return String(line.filter(\.isNumber))
  }
}
