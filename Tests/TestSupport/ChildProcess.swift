package import Glibc
import Testing

/// A program that a test starts, with an environment of its own, and that does not outlive the test.
///
/// What blocks has a limit, so that a program that hangs fails its test instead of holding up all others: it is killed, and an issue names it.
package final class ChildProcess: Sendable {
  /// Its process id.
  package let pid: pid_t
  private let command: String
  private let output: Int32
  private let errorOutput: String
  private let ending = Locked<Ending?>(nil)
  /// What has been read from its output, and not been asked for.
  private let unread = Locked<ArraySlice<UInt8>>([])

  /// How it ended.
  package enum Ending: Sendable, Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  /// How long a call waits that is not told how long: more than the slowest machine needs, and more processor time than LogStorm allows itself.
  package static let patience = Duration.seconds(150)

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
    command = ([path] + arguments).joined(separator: " ")
    output = ends[0]
    errorOutput = errors
  }

  deinit {
    kill(SIGKILL)
    _ = ending(before: ContinuousClock.now + Self.patience)
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

  /// Waits for its end. Blocking. After `limit` it is killed, and an issue recorded.
  @discardableResult
  package func wait(
    within limit: Duration = patience, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line
  ) -> Ending {
    if let ending = ending(before: ContinuousClock.now + limit) { return ending }
    giveUp("has not ended within \(limit)", fileID, filePath, line)
    return ending(before: ContinuousClock.now + limit) ?? .signal(SIGKILL)
  }

  /// The next line of its standard output; nil when it has closed that. Blocking. After `limit` it is killed, and an issue recorded.
  package func readLine(
    within limit: Duration = patience, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line
  ) -> String? {
    let end = ContinuousClock.now + limit
    return unread.withLock { unread in
      var searched = unread.startIndex
      while true {
        if let newline = unread[searched...].firstIndex(of: UInt8(ascii: "\n")) {
          defer { unread = unread[(newline + 1)...] }
          return String(decoding: unread[..<newline], as: UTF8.self)
        }
        let count = unread.count
        guard read(into: &unread, before: end) else {
          giveUp("has written no line within \(limit)", fileID, filePath, line)
          return nil
        }
        if unread.count == count {
          defer { unread = [] }
          return unread.isEmpty ? nil : String(decoding: unread, as: UTF8.self)
        }
        searched = unread.startIndex + count
      }
    }
  }

  /// The rest of its standard output. Blocking until it has closed that. After `limit` it is killed, and an issue recorded.
  package func readAll(
    within limit: Duration = patience, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line
  ) -> String {
    let end = ContinuousClock.now + limit
    return unread.withLock { unread in
      defer { unread = [] }
      var count = -1
      while unread.count > count {
        count = unread.count
        if !read(into: &unread, before: end) {
          giveUp("has not closed its output within \(limit)", fileID, filePath, line)
          break
        }
      }
      return String(decoding: unread, as: UTF8.self)
    }
  }

  private func giveUp(_ what: String, _ fileID: String, _ filePath: String, _ line: Int) {
    kill(SIGKILL)
    let said = errors.suffix(400)
    Issue.record(
      "\(command) \(what), and was killed. \(said)",
      sourceLocation: SourceLocation(fileID: fileID, filePath: filePath, line: line, column: 1))
  }

  /// Its ending, nil when it has none by then. The lock is free between two looks: another thread may send a signal meanwhile.
  private func ending(before end: ContinuousClock.Instant) -> Ending? {
    var nap: UInt32 = 100
    while true {
      if let ending = lookForEnding() { return ending }
      guard ContinuousClock.now < end else { return nil }
      usleep(nap)
      nap = min(nap * 2, 5000)
    }
  }

  private func lookForEnding() -> Ending? {
    ending.withLock { known in
      if let known { return known }
      var status: Int32 = 0
      guard unsafe waitpid(pid, &status, WNOHANG) != 0 else { return nil }
      let ending: Ending = status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
      known = ending
      return ending
    }
  }

  /// Reads what is there, as soon as there is something; nothing at the end of it. False: there was nothing by then.
  private func read(into bytes: inout ArraySlice<UInt8>, before end: ContinuousClock.Instant) -> Bool {
    var state = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    while unsafe poll(&state, 1, Int32(max(0, min((end - .now) / .milliseconds(1) + 1, 1_000_000)))) <= 0 {
      guard ContinuousClock.now < end else { return false }
    }
    var part = [UInt8](repeating: 0, count: 4096)
    let count = unsafe Glibc.read(output, &part, part.count)
    if count > 0 { bytes += part[..<count] }
    return true
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
