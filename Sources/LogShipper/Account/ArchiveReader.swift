import Glibc
import TreeRing

/// Reads the lines of one file, in chunks, without changing anything.
///
/// Memory: one buffer of 1 MiB, which grows for a longer line up to 16 MiB; a line longer than that is told as such and stepped over. Blocking, as the file is.
/// Anything that can be read from front to back will do, a pipe too.
struct ArchiveReader: ~Copyable {
  private let path: String
  private let descriptor: Int32
  private var buffer = [UInt8](repeating: 0, count: 1 << 20)
  /// The unread part of the buffer.
  private var start = 0
  private var end = 0
  private var isSkipping = false

  static let longestLine = 16 << 20

  /// What a piece of the file turned out to be.
  enum Piece: Sendable {
    /// A line that ends with a line feed.
    case line
    /// The rest of the file, behind the last line feed.
    case cut
    /// A line of more than 16 MiB; its bytes are not given.
    case tooLong
  }

  /// Opens the file for reading.
  ///
  /// - Throws: `LogError` when there is no such file, it is a directory, or it may not be read.
  init(_ path: String) throws(LogError) {
    self.path = path
    do {
      descriptor = try Syscalls.open(path, O_RDONLY | O_NOCTTY)
    } catch {
      throw Self.refusal(path, error)
    }
  }

  deinit { close(descriptor) }

  /// Calls `body` with each line, without its line feed, in order. A carriage return before it is left in place: to JSON it is a blank.
  ///
  /// - Throws: `LogError` when the file cannot be read to its end, or is compressed.
  mutating func forEachLine(_ body: (Span<UInt8>, Piece) -> Void) throws(LogError) {
    var isFirst = true
    while try fill() {
      if isFirst { try refuseCompressed() }
      isFirst = false
      while let lineEnd = nextLineFeed() {
        if isSkipping { isSkipping = false } else { body(buffer.span.extracting(start..<lineEnd), .line) }
        start = lineEnd + 1
      }
      if isSkipping || end - start > Self.longestLine { skip(body) }
    }
    if end > start, !isSkipping { body(buffer.span.extracting(start..<end), .cut) }
  }

  private mutating func skip(_ body: (Span<UInt8>, Piece) -> Void) {
    if !isSkipping { body(buffer.span.extracting(0..<0), .tooLong) }
    isSkipping = true
    (start, end) = (0, 0)
  }

  private func nextLineFeed() -> Int? {
    unsafe buffer.withUnsafeBytes { bytes in
      guard end > start, let base = bytes.baseAddress else { return nil }
      // `start ..< end` lies in the buffer.
      guard let found = unsafe memchr(base + start, 0x0A, end - start) else { return nil }
      return unsafe UnsafeRawPointer(found) - base
    }
  }

  /// Reads on. False at the end of the file.
  private mutating func fill() throws(LogError) -> Bool {
    makeRoom()
    let free = end..<buffer.count
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        // `free` lies in the buffer and is not empty.
        unsafe read(descriptor, bytes.baseAddress.map { unsafe $0 + free.lowerBound }, free.count)
      }
      if count >= 0 {
        end += count
        return count > 0
      }
      let error = Errno.current
      if error.code != EINTR { throw Self.refusal(path, error) }
    }
  }

  private mutating func makeRoom() {
    if start > 0 {
      unsafe buffer.withUnsafeMutableBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        // `start ..< end` lies in the buffer.
        unsafe _ = memmove(base, base + start, end - start)
      }
      (start, end) = (0, end - start)
    }
    if end == buffer.count { buffer.append(contentsOf: repeatElement(0, count: buffer.count)) }
  }

  private func refuseCompressed() throws(LogError) {
    let magic = buffer.prefix(min(4, end))
    for (name, bytes, tool) in Self.compressions where magic.starts(with: bytes) {
      throw LogError("\(path) is compressed (\(name)): unpack it and verify the result, as in \(tool) \(path) > FILE")
    }
  }

  private static let compressions: [(String, [UInt8], String)] = [
    ("gzip", [0x1F, 0x8B], "gzip -dc"), ("zstd", [0x28, 0xB5, 0x2F, 0xFD], "zstd -dc"),
  ]

  static func refusal(_ path: String, _ error: Errno) -> LogError {
    switch error.code {
    case ENOENT, ENOTDIR: LogError("there is no file \(path): check the name; quote no * that the shell should fill in")
    case EISDIR: LogError("\(path) is a directory: name the files in it, as in \(path)/*.ndjson")
    case EACCES, EPERM:
      LogError("\(path) may not be read (\(error)): run this as its owner, or as a member of its group")
    default: LogError("cannot read \(path): \(error)")
    }
  }
}
