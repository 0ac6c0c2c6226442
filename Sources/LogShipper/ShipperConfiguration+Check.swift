import Glibc
import TreeRing

extension ShipperConfiguration {
  /// What stands in the way of using it, one line for each thing: file, line, key, and what to do. Looks, and changes nothing; a place that is missing is fine
  /// where it can be made. Blocking; a few system calls.
  package var problems: [ConfigurationError] {
    var problems: [ConfigurationError] = []
    func note(_ line: Int?, _ key: String, _ problem: String?) {
      if let problem { problems.append(ConfigurationError(file, line: line, "\(key): \(problem)")) }
    }
    note(line, "data_dir", Place.problem(ofDirectory: dataDirectory))
    for input in inputs { note(input.line, "inputs.\(input.name).dir", Place.problem(ofRings: input.directory)) }
    for output in outputs {
      let path = PathPattern(resolve(output.path)).path(at: Syscalls.now(CLOCK_REALTIME))
      note(output.line, "outputs.\(output.name).path", Place.problem(ofFile: path))
    }
    return problems
  }
}

/// Places in the file system, and why they cannot be used; nil when they can.
private enum Place {
  static func problem(ofRings directory: String) -> String? {
    do {
      // A directory that no process has made yet is nothing wrong.
      if try RingDirectory.exists(directory) { try RingDirectory.check(directory) }
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// A directory to write in. Where it is missing, the nearest one above it counts: there it would be made.
  static func problem(ofDirectory path: String) -> String? {
    var there = path
    while true {
      var status = stat()
      if unsafe stat(there, &status) == 0 { return problem(of: there, status) }
      guard errno == ENOENT, let slash = there.lastIndex(of: "/"), slash != there.startIndex else {
        return errno == ENOENT ? problem(ofDirectory: "/") : "cannot look at \(there): \(Errno.current)"
      }
      there = String(there[..<slash])
    }
  }

  private static func problem(of directory: String, _ status: stat) -> String? {
    guard status.st_mode & S_IFMT == S_IFDIR else { return "\(directory) is not a directory; name another place" }
    return problem(ofWriting: directory, W_OK | X_OK)
  }

  /// A file to append to.
  static func problem(ofFile path: String) -> String? {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    if !directory.isEmpty, let problem = problem(ofDirectory: directory) { return problem }
    guard let status = try? Syscalls.status(ofPath: path) else { return nil }
    guard status.st_mode & S_IFMT == S_IFREG else { return "\(path) is not a regular file; name another one" }
    return problem(ofWriting: path, W_OK)
  }

  private static func problem(ofWriting path: String, _ mode: Int32) -> String? {
    guard unsafe faccessat(AT_FDCWD, path, mode, AT_EACCESS) != 0 else { return nil }
    return "cannot write in \(path): \(Errno.current); change its permissions, or name another place"
  }
}
