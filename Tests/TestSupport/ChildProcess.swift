package import Glibc

/// A program that a test starts, with an environment of its own, and that does not outlive the test.
package final class ChildProcess: Sendable {
  /// Its process id.
  package let pid: pid_t
  private let output: Int32
  private let errorOutput: String
  private let ending = Locked<Ending?>(nil)

  /// How it ended.
  package enum Ending: Sendable, Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  /// Why it could not be started.
  package struct Failure: Error {
    package let program: String
    package let code: Int32
  }

  /// Starts a program that was built beside the tests. Its standard output is a pipe, read by ``readLine()`` and ``readAll()``; its standard error is a file, ``errors``.
  ///
  /// - Parameter environment: all of it: nothing is inherited but `PATH` and what the sanitizers want.
  package init(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:], errors: String = "/dev/null"
  ) throws {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw Failure(program: program, code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[1]) }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    unsafe posix_spawn_file_actions_addopen(
      &actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    // The threads that tests run on block signals, and the child would inherit that.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let path = BuiltProducts.program(program)
    var pid: pid_t = 0
    let variables = ["PATH=/usr/bin:/bin"] + Self.sanitizerOptions + environment.map { "\($0.key)=\($0.value)" }
    let code = unsafe Self.withCStrings([path] + arguments) { argv in
      unsafe Self.withCStrings(variables) { envp in unsafe posix_spawn(&pid, path, &actions, &attributes, argv, envp) }
    }
    guard code == 0 else {
      close(ends[0])
      throw Failure(program: path, code: code)
    }
    self.pid = pid
    output = ends[0]
    errorOutput = errors
  }

  deinit {
    kill(SIGKILL)
    wait()
    close(output)
  }

  /// So that a program that was built with a sanitizer reports where the tests do.
  private static let sanitizerOptions: [String] =
    ["TSAN_OPTIONS", "ASAN_OPTIONS", "LSAN_OPTIONS"].compactMap { (name: String) -> String? in
      guard let options = unsafe getenv(name) else { return nil }
      return unsafe "\(name)=\(String(cString: options))"
    }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { preconditionFailure("an array with an element has an address") }
      return unsafe body(start)
    }
  }

  /// Sends a signal, unless it has been waited for already: its number may be somebody else's by then.
  package func kill(_ signal: Int32) {
    ending.withLock { if $0 == nil { _ = Glibc.kill(pid, signal) } }
  }

  /// Waits for its end. Blocking.
  @discardableResult
  package func wait() -> Ending {
    ending.withLock { known in
      if let known { return known }
      var status: Int32 = 0
      while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
      let ending: Ending = status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
      known = ending
      return ending
    }
  }

  /// The next line of its standard output; nil when it has closed that. Blocking.
  package func readLine() -> String? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while unsafe read(output, &byte, 1) == 1 {
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
  }

  /// The rest of its standard output. Blocking until it has closed that.
  package func readAll() -> String {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while case let count = unsafe read(output, &part, part.count), count > 0 { bytes += part[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What it has written on standard error so far.
  package var errors: String {
    guard let file = unsafe fopen(errorOutput, "r") else { return "" }
    defer { unsafe _ = fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = unsafe getc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
