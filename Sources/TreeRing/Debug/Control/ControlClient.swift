import Glibc

/// Asks running processes, from outside.
package enum ControlClient {
  /// A process that can be asked.
  package struct Target: Sendable, Equatable {
    package let pid: Int32
    package let program: String
    package let socket: String
  }

  /// Processes with a control socket in `directory` or in one directly below it, where programs with several processes keep theirs. Sorted by pid.
  package static func targets(in directory: String) throws(LogError) -> [Target] {
    try RingDirectory.check(directory)
    var found: [Target] = []
    for place in RingDirectory.nested(in: directory) {
      for name in (try? Syscalls.list(place)) ?? [] where name.hasSuffix(ControlSocket.suffix) {
        // `<program>-<pid>-<id>.control`, as RingFile names it.
        let parts = name.dropLast(ControlSocket.suffix.count).split(separator: "-")
        guard parts.count >= 3, let pid = Int32(parts[parts.count - 2]) else { continue }
        found.append(
          Target(pid: pid, program: parts.dropLast(2).joined(separator: "-"), socket: place + "/" + name))
      }
    }
    return found.sorted { ($0.pid, $0.socket) < ($1.pid, $1.socket) }
  }

  /// Sends a command and returns the answer; nil when nobody listens there any more. Blocking, some 15 seconds at most, as a rule some milliseconds.
  package static func ask(_ target: Target, _ command: ControlCommand) throws(LogError) -> [ControlLine]? {
    // Whoever is stopped between two of these lines is late. Then nothing was done, and it can be said again.
    for _ in 0..<2 {
      guard let lines = try attempt(target, command) else { return nil }
      if lines.first != ControlCommand.isLate { return try checked(lines, target) }
    }
    return try attempt(target, command).map { lines throws(LogError) in try checked(lines, target) }
  }

  private static func checked(_ lines: [ControlLine], _ target: Target) throws(LogError) -> [ControlLine] {
    guard !lines.isEmpty else { throw LogError("process \(target.pid) did not answer; it may be stopped or stuck") }
    if let refusal = lines.first(where: { $0.kind == "error" }) {
      throw LogError("process \(target.pid): \(refusal[0])")
    }
    return lines
  }

  private static func attempt(_ target: Target, _ command: ControlCommand) throws(LogError) -> [ControlLine]? {
    let line = command.line + "\n"
    guard line.utf8.count <= ControlCommand.longestLine else {
      throw LogError("the command has \(line.utf8.count) bytes, of which a process takes \(ControlCommand.longestLine)")
    }
    let descriptor: Int32
    do { descriptor = try ControlSocket.connect(to: target.socket) } catch {
      if error.code == ECONNREFUSED || error.code == ENOENT { return nil }
      throw LogError("cannot reach process \(target.pid) at \(target.socket): \(error)")
    }
    defer { close(descriptor) }
    let deadline = ControlSocket.deadline(seconds: 10)
    ControlSocket.write(descriptor, line, until: deadline)
    let bytes = ControlSocket.readAll(descriptor, limit: 16 << 20, until: deadline)
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { ControlLine(parsing: $0) }
  }
}
