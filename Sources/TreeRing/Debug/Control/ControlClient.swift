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

  /// Sends a command and returns the answer; nil when nobody listens there any more. Blocking, some seconds at most.
  package static func ask(_ target: Target, _ command: ControlCommand) throws(LogError) -> [ControlLine]? {
    let descriptor: Int32
    do { descriptor = try ControlSocket.connect(to: target.socket) } catch {
      if error.code == ECONNREFUSED || error.code == ENOENT { return nil }
      throw LogError("cannot reach process \(target.pid) at \(target.socket): \(error)")
    }
    defer { close(descriptor) }
    ControlSocket.write(descriptor, command.line + "\n")
    let bytes = ControlSocket.read(descriptor, limit: 16 << 20, untilLineEnds: false)
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { ControlLine(parsing: $0) }
    guard !lines.isEmpty else { throw LogError("process \(target.pid) did not answer; it may be stopped or stuck") }
    if let refusal = lines.first(where: { $0.kind == "error" }) {
      throw LogError("process \(target.pid): \(refusal[0])")
    }
    return lines
  }
}
