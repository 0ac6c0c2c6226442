import Glibc
import TreeRing

/// The files of one archive: looked at before any is read, so that a wrong name costs no time. None is opened here: a pipe can be opened only once.
struct ArchiveFiles {
  let paths: [String]

  /// - Throws: `LogError` when one is missing, is a directory, may not be read, or is there twice by way of another name or a symbolic link.
  init(_ paths: [String]) throws(LogError) {
    var known: [String: String] = [:]
    for path in paths {
      // Only a directory has something behind a slash.
      if unsafe access(path + "/", F_OK) == 0 { throw ArchiveReader.refusal(path, Errno(EISDIR)) }
      if unsafe access(path, R_OK) != 0 { throw ArchiveReader.refusal(path, .current) }
      guard let resolved = Self.resolved(path) else { continue }
      if let other = known.updateValue(path, forKey: resolved) {
        throw LogError("\(path) is the same file as \(other): name each file once, or its records count twice")
      }
    }
    self.paths = paths
  }

  /// The one absolute path without symbolic links. Nil for what has none, such as a pipe.
  private static func resolved(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }
}
