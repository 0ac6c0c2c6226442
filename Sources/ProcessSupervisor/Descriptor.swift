import Glibc

/// A file descriptor that closes when its owner goes.
struct Descriptor: ~Copyable, Sendable {
  let number: Int32

  init(_ number: Int32) { self.number = number }

  deinit { close(number) }

  /// The number alone; from here on somebody else closes it.
  consuming func release() -> Int32 {
    let number = number
    discard self
    return number
  }

  /// Another descriptor of the same open file as `number`, `minimum` or above, close-on-exec.
  static func duplicate(_ number: Int32, from minimum: Int32) throws(SystemError) -> Descriptor {
    Descriptor(try SystemError.check("fcntl") { fcntl(number, F_DUPFD_CLOEXEC, minimum) })
  }
}

/// Two ends of a local stream, both close-on-exec.
struct DescriptorPair: ~Copyable, Sendable {
  let first: Descriptor
  let second: Descriptor

  init(nonBlocking: Bool) throws(SystemError) {
    let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (nonBlocking ? SOCK_NONBLOCK.rawValue : 0)
    var ends: [Int32] = [-1, -1]
    // The kernel fills two numbers, which is what the array holds.
    guard unsafe socketpair(AF_UNIX, Int32(type), 0, &ends) == 0 else { throw SystemError("socketpair") }
    first = Descriptor(ends[0])
    second = Descriptor(ends[1])
  }
}
