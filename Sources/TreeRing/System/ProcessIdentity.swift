import Glibc

/// Who a process is beyond its number, which is used again.
package enum ProcessIdentity {
  /// When a process started, in clock ticks after boot (proc(5): stat, field 22); 0 when it cannot be read.
  package static func startTime(of pid: Int32 = getpid()) -> UInt64 {
    guard let bytes = Syscalls.contents(of: "/proc/\(pid)/stat", limit: 4096) else { return 0 }
    // The name, field 2, stands in parentheses and may hold anything: count fields from the last one.
    guard let close = bytes.lastIndex(of: UInt8(ascii: ")")) else { return 0 }
    let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "))
    return fields.count > 19 ? UInt64(String(decoding: fields[19], as: UTF8.self)) ?? 0 : 0
  }

  /// 16 bytes that every boot of the machine draws anew; zeros when they cannot be read.
  package static func bootID() -> [UInt8] {
    let text = Syscalls.contents(of: "/proc/sys/kernel/random/boot_id", limit: 64) ?? []
    let digits = text.compactMap { Character(UnicodeScalar($0)).hexDigitValue.map(UInt8.init) }
    guard digits.count >= 32 else { return [UInt8](repeating: 0, count: 16) }
    return (0..<16).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
  }

  /// The program's file name, without directories.
  package static func programName() -> String {
    guard let path = Syscalls.linkTarget("/proc/self/exe") else { return "unknown" }
    return path.split(separator: "/").last.map(String.init) ?? "unknown"
  }
}
