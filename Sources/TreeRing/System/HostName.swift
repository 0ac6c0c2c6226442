import Glibc

/// What this machine calls itself.
package enum HostName {
  /// The name now; `localhost` when it has none.
  package static var current: String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let failed = unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return Int32(-1) }
      return unsafe gethostname(start, bytes.count - 1)
    }
    let name = String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    return failed != 0 || name.isEmpty ? "localhost" : name
  }
}
