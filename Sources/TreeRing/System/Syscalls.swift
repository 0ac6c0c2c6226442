import CTreeRing
package import Glibc

/// The system calls the library makes, one function each, with `EINTR` retried and the error number taken beside the call.
package enum Syscalls {
  /// Sleeps at least so long. Safe in a signal handler.
  package static func sleep(nanoseconds: Int) {
    var time = timespec(tv_sec: nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    unsafe nanosleep(&time, nil)
  }

  /// Nanoseconds of a clock (`CLOCK_REALTIME`, `CLOCK_MONOTONIC`).
  package static func now(_ clock: Int32) -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// The same for a time that a file says, which may be any: one before 1970 is 0, one after 2554 is the last that there is.
  static func nanoseconds(_ time: timespec) -> UInt64 {
    let (seconds, isLate) = UInt64(clamping: time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, isLater) = seconds.addingReportingOverflow(UInt64(clamping: time.tv_sec < 0 ? 0 : time.tv_nsec))
    return isLate || isLater ? .max : sum
  }

  /// Opens a file. The descriptor is closed on exec.
  package static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) throws(Errno) -> Int32 {
    while true {
      let descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
      if descriptor > STDERR_FILENO { return descriptor }
      if descriptor >= 0 { return try moveAboveStandardStreams(descriptor) }
      if errno != EINTR { throw .current }
    }
  }

  /// A socket(2) of our own, closed on exec.
  package static func socket(_ family: Int32, _ type: Int32) throws(Errno) -> Int32 {
    let descriptor = Glibc.socket(family, type | Int32(SOCK_CLOEXEC.rawValue), 0)
    if descriptor < 0 { throw .current }
    return descriptor > STDERR_FILENO ? descriptor : try moveAboveStandardStreams(descriptor)
  }

  /// In a program that was started with a standard stream closed, the first file or socket it opens gets that stream's number, and everything that is printed
  /// would go into it.
  private static func moveAboveStandardStreams(_ descriptor: Int32) throws(Errno) -> Int32 {
    let moved = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
    let error = Errno.current
    close(descriptor)
    if moved < 0 { throw error }
    return moved
  }

  /// Writes all of `bytes`, waiting where a descriptor in non-blocking mode says so. Returns how many were written before an error, and that error.
  package static func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> (written: Int, error: Errno?) {
    var written = 0
    while written < bytes.count, let start = bytes.baseAddress {
      let result = unsafe write(descriptor, start + written, bytes.count - written)
      if result >= 0 {
        written += result
      } else if errno == EAGAIN {
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        unsafe Glibc.poll(&poll, 1, 100)
      } else if errno != EINTR {
        return (written, .current)
      }
    }
    return (written, nil)
  }

  /// Does `body` on this thread without the signal that a pipe without a reader sends: `write` then only fails with EPIPE. The program's own
  /// handling of SIGPIPE is not touched.
  package static func withoutSIGPIPE<Result>(_ body: () -> Result) -> Result {
    var pipe = sigset_t()
    var before = sigset_t()
    var pending = sigset_t()
    unsafe sigemptyset(&pipe)
    unsafe sigaddset(&pipe, SIGPIPE)
    unsafe sigpending(&pending)
    let wasPending = unsafe sigismember(&pending, SIGPIPE) == 1
    unsafe pthread_sigmask(SIG_BLOCK, &pipe, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    let result = body()
    // A signal that came of our own write is taken away before it can be delivered.
    if !wasPending {
      var none = timespec()
      unsafe sigtimedwait(&pipe, nil, &none)
    }
    return result
  }

  /// What is known of an open file.
  package static func status(of descriptor: Int32) throws(Errno) -> stat {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .current }
    return status
  }

  /// What is known of a path, without following a last symbolic link.
  package static func status(ofPath path: String) throws(Errno) -> stat {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { throw .current }
    return status
  }

  /// Names in a directory, without `.` and `..`, sorted.
  package static func list(_ directory: String) throws(Errno) -> [String] {
    guard let stream = unsafe opendir(directory) else { throw .current }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes a directory and those above it that are missing, with `mode`.
  package static func makeDirectories(_ path: String, mode: UInt32 = 0o700) throws(Errno) {
    if unsafe mkdir(path, mode) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw .current }
    try makeDirectories(String(path[..<slash]), mode: mode)
    if unsafe mkdir(path, mode) != 0 && errno != EEXIST { throw .current }
  }

  /// A whole small file, at most `limit` bytes; nil when it cannot be read.
  package static func contents(of path: String, limit: Int = 65_536) -> [UInt8]? {
    guard let descriptor = try? open(path, O_RDONLY) else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: limit)
    var count = 0
    var result = 0
    unsafe bytes.withUnsafeMutableBytes { buffer in
      while count < limit, let start = buffer.baseAddress {
        result = unsafe read(descriptor, start + count, limit - count)
        if result <= 0 { break }
        count += result
      }
    }
    return result < 0 ? nil : Array(bytes[..<count])
  }

  /// What a symbolic link points at; nil when it cannot be read.
  package static func linkTarget(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return 0 }
      return unsafe readlink(path, start, bytes.count)
    }
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }

  /// The working directory; nil when it has been removed, or lies outside of what the process can see.
  package static func workingDirectory() -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    guard unsafe getcwd(&buffer, buffer.count) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Random bytes from the kernel.
  package static func random(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    unsafe bytes.withUnsafeMutableBytes { buffer in
      guard let start = buffer.baseAddress else { return }
      unsafe _ = tr_getrandom(start, count)
    }
    return bytes
  }

  /// A variable of the environment; nil when it is unset, and in a set-uid program, where the environment belongs to somebody else.
  package static func environment(_ name: String) -> String? {
    guard let value = unsafe tr_secure_getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  /// One line on standard error, at once. For what the library has to say about itself when it cannot log. It neither waits for a reader that does not read nor
  /// dies of one that is gone: a log that cannot be written is no reason to stop.
  package static func complain(_ line: String) {
    var text = "treering: \(line.withoutControls)\n"
    let writer = PipeWriter(descriptor: STDERR_FILENO, kind: PipeWriter.kind(of: STDERR_FILENO))
    text.withUTF8 { unsafe _ = try? writer.accept(UnsafeRawBufferPointer($0), patienceMilliseconds: 100) }
  }
}
