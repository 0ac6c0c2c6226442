import Glibc

@testable import TreeRing

/// Stands in for systemd-journald: a datagram socket, and a strict reader of the native protocol. A mock, because it is ours; the real one is asked in
/// `JournalSinkTests.systemdReadsEveryEntry`.
final class MockJournal {
  /// One datagram.
  struct Entry {
    /// Values of each variable, in order.
    var variables: [String: [[UInt8]]] = [:]
    var cameAsFile = false

    func text(_ name: String) -> String? {
      variables[name]?.first.flatMap { String(validating: $0, as: UTF8.self) }
    }
  }

  struct Fault: Error { let what: String }

  let path: String
  private let descriptor: Int32

  init(_ path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    unsafe unlink(path)
    let address = SocketAddress(path: path)
    let result = unsafe address?.withAddress { unsafe bind(descriptor, $0, $1) }
    guard result == 0 else { throw Errno.current }
  }

  deinit {
    close(descriptor)
    unsafe unlink(path)
  }

  /// The next entry; nil when none comes within ten seconds.
  func next() throws -> Entry? {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard unsafe Glibc.poll(&poll, 1, 10_000) > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    var control = [UInt8](repeating: 0, count: 64)
    var controlSize = 0
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe control.withUnsafeMutableBytes { control in
        var vector = unsafe iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        return unsafe withUnsafeMutablePointer(to: &vector) { vector in
          var message = unsafe msghdr()
          unsafe message.msg_iov = vector
          unsafe message.msg_iovlen = 1
          unsafe message.msg_control = control.baseAddress
          unsafe message.msg_controllen = control.count
          let count = unsafe recvmsg(descriptor, &message, Int32(MSG_CMSG_CLOEXEC))
          unsafe controlSize = message.msg_controllen
          return count
        }
      }
    }
    guard count >= 0 else { throw Errno.current }
    if controlSize == 0 { return try Self.entry(bytes[..<count]) }
    // cmsghdr: 8 bytes of length, level, type, then the descriptor.
    guard count == 0, controlSize >= 20 else { throw Fault(what: "\(count) bytes and a descriptor") }
    let file = unsafe control.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: 16, as: Int32.self) }
    defer { close(file) }
    var entry = try Self.entry(contents(file)[...])
    entry.cameAsFile = true
    return entry
  }

  /// Of a file that nobody can change any more.
  private func contents(_ file: Int32) throws -> [UInt8] {
    // F_GET_SEALS; F_SEAL_SEAL, SHRINK, GROW and WRITE.
    guard fcntl(file, 1034) == 0b1111 else { throw Fault(what: "not sealed") }
    let size = Int(try Syscalls.status(of: file).st_size)
    var bytes = [UInt8](repeating: 0, count: size)
    let count = unsafe pread(file, &bytes, size, 0)
    guard count == size else { throw Errno.current }
    return bytes
  }

  /// systemd, "Native Journal Protocol": `NAME=value\n`, or `NAME\n`, eight bytes of length, the value, `\n`.
  static func entry(_ bytes: ArraySlice<UInt8>) throws -> Entry {
    var entry = Entry()
    var rest = bytes
    while !rest.isEmpty {
      guard let end = rest.firstIndex(of: 0x0A) else { throw Fault(what: "no line feed at the end") }
      var name = rest[..<end]
      let value: ArraySlice<UInt8>
      if let equals = name.firstIndex(of: UInt8(ascii: "=")) {
        value = name[(equals + 1)...]
        name = name[..<equals]
        rest = rest[(end + 1)...]
      } else {
        let length = rest[(end + 1)...].prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << ($1.offset * 8) }
        let start = end + 9
        guard start + length < rest.endIndex, rest[start + length] == 0x0A else {
          throw Fault(what: "length \(length)")
        }
        value = rest[start..<start + length]
        rest = rest[(start + length + 1)...]
      }
      try check(name)
      entry.variables[String(decoding: name, as: UTF8.self), default: []].append(Array(value))
    }
    return entry
  }

  /// journald's `journal_field_valid`.
  private static func check(_ name: ArraySlice<UInt8>) throws {
    let isValid =
      name.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 } && 1...64 ~= name.count
      && name.first != 95 && !(48...57).contains(name.first ?? 0)
    if !isValid { throw Fault(what: "name \(String(decoding: name, as: UTF8.self))") }
  }
}
