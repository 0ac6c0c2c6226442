import CTreeRing
import Glibc

/// The channels that have been called in this process, as their gates know them: those too that a property or an argument holds, of which no file tells.
///
/// A gate knows its owner's address, and behind a name stands a NUL. The kernel reads the text for us: the library that it was in may have been unloaded, and then
/// there is nothing to be read.
///
/// Missing is the second of two channels that share a gate.
enum CalledChannels {
  /// Bytes of a name; of a longer one nothing is told.
  private static let longest = 255

  /// Each name once, in no order. Blocking: a system call for each. Empty where the process may not look at itself (a set-uid program).
  static var names: [String] {
    guard let memory = try? Syscalls.open("/proc/self/mem", O_RDONLY) else { return [] }
    defer { close(memory) }
    return Gates.channels.owners.compactMap { name(at: $0, in: memory) }
  }

  private static func name(at address: UInt, in memory: Int32) -> String? {
    var bytes = [UInt8](repeating: 0, count: longest + 1)
    let count = unsafe pread(memory, &bytes, bytes.count, off_t(address))
    guard let end = bytes[..<max(count, 0)].firstIndex(of: 0) else { return nil }
    return String(validating: bytes[..<end], as: UTF8.self)
  }
}

extension Gates {
  /// The addresses of the names that own a gate.
  fileprivate var owners: [UInt] {
    (0..<Int(TR_GATE_COUNT)).compactMap { index in
      let word = word(at: index)
      // What is known of the owner lies in the low 24 bits of what is left without the index, which is the address's own low 16 bits.
      let known = (word &- UInt64(index) << 8) & (1 << 24 - 1)
      return word == 0 ? nil : UInt((word &- known) >> 8)
    }
  }
}
