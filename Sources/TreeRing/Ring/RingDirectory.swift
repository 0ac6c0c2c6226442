import CTreeRing
import Glibc

/// The directory where ring files live.
package enum RingDirectory {
  /// Suffix of a ring file's name.
  package static let suffix = ".ring"

  /// Where rings go when nothing is configured: `$RUNTIME_DIRECTORY/treering`, `$XDG_RUNTIME_DIR/treering`, `/dev/shm/treering-<uid>`.
  package static func standard(_ variable: (String) -> String? = Syscalls.environment) -> String {
    // systemd separates several runtime directories by colons; the first is the service's own.
    if let runtime = variable("RUNTIME_DIRECTORY")?.split(separator: ":").first { return runtime + "/treering" }
    if let runtime = variable("XDG_RUNTIME_DIR"), !runtime.isEmpty { return runtime + "/treering" }
    return "/dev/shm/treering-\(getuid())"
  }

  /// What `TREERING_DIR` names; nil without one. An empty variable counts as none.
  package static func named(_ variable: (String) -> String? = Syscalls.environment) -> String? {
    variable("TREERING_DIR").flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Where the rings of programs are that were told nothing else: what `TREERING_DIR` names, or else the standard place.
  package static func configured(_ variable: (String) -> String? = Syscalls.environment) -> String {
    named(variable) ?? standard(variable)
  }

  /// `directory`, and the ring directories in it, one level down: a program may keep its rings apart, as `companies` does for each data directory.
  package static func nested(in directory: String) -> [String] {
    let below = ((try? Syscalls.list(directory)) ?? []).map { directory + "/" + $0 }
    return [directory] + below.filter { (try? check($0)) != nil }
  }

  /// Whether there is anything at that path. That no process has made the directory yet is nothing wrong; that it cannot be looked at is.
  package static func exists(_ directory: String) throws(LogError) -> Bool {
    do { _ = try Syscalls.status(ofPath: directory) } catch  where error.code == ENOENT {
      return false
    } catch {
      throw LogError("cannot read the ring directory \(directory): \(error)")
    }
    return true
  }

  /// Makes `directory` when it is missing, and refuses one that is another user's, or open to others, or a symbolic link: whoever can write there could
  /// put records into our logs. Blocking; a few system calls.
  package static func prepare(_ directory: String) throws(LogError) {
    do {
      try Syscalls.makeDirectories(directory, mode: 0o700)
    } catch {
      throw LogError(
        "cannot make the ring directory \(directory): \(error); set TREERING_DIR to a place you can write to")
    }
    try check(directory, asRoot: false)
  }

  /// The refusals of ``prepare(_:)``, without making anything. Root may read what others have: it puts nothing there.
  package static func check(_ directory: String) throws(LogError) {
    try check(directory, asRoot: geteuid() == 0)
  }

  /// - Parameter asRoot: it may be another user's.
  private static func check(_ directory: String, asRoot: Bool) throws(LogError) {
    let status: stat
    do { status = try Syscalls.status(ofPath: directory.withoutSlashAtEnd) } catch {
      throw LogError("cannot read the ring directory \(directory): \(error)")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw LogError(
        "the ring directory \(directory) is not a directory (a symbolic link is not followed); name another one")
    }
    guard status.st_uid == geteuid() || asRoot else {
      throw LogError(
        "the ring directory \(directory) belongs to user \(status.st_uid), not to \(geteuid()); name another one")
    }
    guard status.st_mode & 0o077 == 0 else {
      // Nobody should be told to close /tmp.
      let isShared = status.st_mode & S_ISVTX != 0 || status.st_uid != geteuid()
      let advice =
        isShared ? "name one that is yours alone, such as \(directory)/treering" : "run: chmod 700 \(directory)"
      throw LogError("the ring directory \(directory) is open to other users; \(advice)")
    }
  }

  /// Removes the files of processes that were killed while they made them, under a hidden name still: nobody has logged there, and each holds the memory of a ring.
  /// One that somebody makes right now is locked, but for its first microseconds; so a file has to be a minute old.
  static func removeUnfinished(in directory: String) {
    let names = (try? Syscalls.list(directory)) ?? []
    let limit = Int(Syscalls.now(CLOCK_REALTIME) / 1_000_000_000) - 60
    for name in names where name.hasPrefix(".") && name.hasSuffix(suffix) {
      let path = directory + "/" + name
      guard let descriptor = try? Syscalls.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { continue }
      defer { close(descriptor) }
      guard let status = try? Syscalls.status(of: descriptor), status.st_mode & S_IFMT == S_IFREG,
        status.st_uid == geteuid(), status.st_mtim.tv_sec < limit,
        tr_is_byte_locked(descriptor, RingFile.producerByte) == 0
      else { continue }
      unsafe unlink(path)
    }
  }

  /// Paths of the ring files in `directory`, sorted.
  package static func files(in directory: String) throws(LogError) -> [String] {
    do {
      return try Syscalls.list(directory).filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }
        .map { directory + "/" + $0 }
    } catch {
      throw LogError("cannot list the ring directory \(directory): \(error)")
    }
  }
}

extension String {
  /// Behind `link/` the kernel sees where the link leads, and not the link.
  fileprivate var withoutSlashAtEnd: String {
    let path = self.reversed().drop { $0 == "/" }.reversed()
    return path.isEmpty ? self : String(path)
  }
}
