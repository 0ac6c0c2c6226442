import Glibc

/// Writes to something with a reader at its other end, without ever waiting for that reader longer than it was told to.
///
/// A pipe that several processes write to keeps lines whole only up to `PIPE_BUF` bytes (pipe(7)): so lines go out in chunks of whole ones up to that size, and
/// only a longer line is cut. The same chunks make it safe to write to a descriptor in blocking mode after `poll` has said that there is room: a pipe that polls
/// writable has a free page, which is what a chunk needs. Only another process that fills that page in between can make such a write wait.
struct PipeWriter {
  /// How the descriptor behaves.
  enum Kind: Equatable {
    /// A regular file or a device without a reader: never waits for anybody.
    case steady
    /// A pipe or a terminal in blocking mode, which is shared and must stay so.
    case blocking
    /// One of our own, in non-blocking mode.
    case nonBlocking
    /// A stream socket.
    case socket
  }

  let descriptor: Int32
  let kind: Kind

  static let chunkSize = 4096

  /// What kind an inherited descriptor is of.
  static func kind(of descriptor: Int32) -> Kind {
    guard let status = try? Syscalls.status(of: descriptor) else { return .steady }
    switch status.st_mode & S_IFMT {
    case S_IFIFO: return .blocking
    case S_IFSOCK: return .socket
    case S_IFCHR: return isatty(descriptor) == 1 ? .blocking : .steady
    default: return .steady
    }
  }

  /// As ``Sink/accept(_:patienceMilliseconds:)``.
  func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    let (taken, error) = Syscalls.withoutSIGPIPE { unsafe accept(bytes, patienceMilliseconds) }
    // With a part taken the error is the next call's: it will be there again.
    if let error, taken == 0 { throw error }
    return taken
  }

  private func accept(_ bytes: UnsafeRawBufferPointer, _ patience: Int) -> (taken: Int, error: Errno?) {
    var taken = 0
    var patience = patience
    while taken < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[taken...])
      let result = unsafe kind != .blocking || isReady(withinMilliseconds: 0) ? write(rest) : .full
      switch result {
      case .took(let count): taken += count
      case .failed(let error): return (taken, error)
      case .full:
        // One wait a call: a reader that takes a page now and then must not hold the writer for longer than it was told.
        guard patience > 0, isReady(withinMilliseconds: patience) else { return (taken, nil) }
        patience = 0
      }
    }
    return (taken, nil)
  }

  private enum Written {
    case took(Int)
    case full
    case failed(Errno)
  }

  private func write(_ bytes: UnsafeRawBufferPointer) -> Written {
    while true {
      let count = unsafe kind == .steady ? bytes.count : Self.chunk(of: bytes)
      let result =
        unsafe kind == .socket
        ? send(descriptor, bytes.baseAddress, count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        : Glibc.write(descriptor, bytes.baseAddress, count)
      if result >= 0 { return .took(result) }
      switch errno {
      case EINTR: continue
      case EAGAIN, ENOBUFS: return .full
      default: return .failed(.current)
      }
    }
  }

  /// Room for a chunk, or an error that a write would name.
  private func isReady(withinMilliseconds patience: Int) -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return unsafe Glibc.poll(&poll, 1, Int32(clamping: patience)) > 0
  }

  /// Bytes of the most whole lines that fit `chunkSize`; of a longer line as much as fits.
  static func chunk(of bytes: UnsafeRawBufferPointer) -> Int {
    guard bytes.count > chunkSize else { return bytes.count }
    let lineEnd = unsafe bytes[..<chunkSize].lastIndex(of: UInt8(ascii: "\n"))
    return lineEnd.map { $0 + 1 } ?? chunkSize
  }
}
