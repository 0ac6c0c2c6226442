import Foundation
import Glibc

/// A control group with a limit on memory, below the one that the tests run in, gone with the object.
final class MemoryCgroup {
  private let directory: String

  /// Why there can be none.
  struct Unavailable: Error, CustomStringConvertible {
    let description: String
  }

  /// Where a process writes its number to become a member.
  var processes: String { directory + "/cgroup.procs" }

  init(megabytes: Int) throws {
    let groups = try String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8).split(separator: "\n")
    let parent: String
    let limit: String
    if let line = groups.first(where: { $0.split(separator: ":", omittingEmptySubsequences: false)[1] == "memory" }) {
      parent = "/sys/fs/cgroup/memory" + Self.path(line)
      limit = "memory.limit_in_bytes"
    } else if let line = groups.first(where: { $0.hasPrefix("0::") }) {
      parent = "/sys/fs/cgroup" + Self.path(line)
      limit = "memory.max"
    } else {
      throw Unavailable(description: "no memory control groups are mounted")
    }
    directory =
      parent + (parent.hasSuffix("/") ? "" : "/") + "treering-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    guard unsafe mkdir(directory, 0o755) == 0 else {
      throw Unavailable(description: "no memory control group can be made below \(parent)")
    }
    do {
      try Self.write("\(megabytes << 20)", to: "\(directory)/\(limit)")
      // Where there is swap, the limit would only slow the program down.
      try? Self.write("0", to: "\(directory)/memory.swap.max")
      try? Self.write("\(megabytes << 20)", to: "\(directory)/memory.memsw.limit_in_bytes")
    } catch {
      unsafe rmdir(directory)
      throw Unavailable(description: "the memory controller is not available below \(parent)")
    }
  }

  deinit { unsafe rmdir(directory) }

  private static func path(_ line: Substring) -> String {
    String(line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)[2])
  }

  private static func write(_ text: String, to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Unavailable(description: path) }
    defer { close(descriptor) }
    guard unsafe Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count else {
      throw Unavailable(description: path)
    }
  }
}
