import Glibc
import TreeRing

/// The files of one archive: looked at before any is read, so that a wrong name costs no time.
struct ArchiveFiles {
  let paths: [String]

  /// - Throws: `LogError` when one is missing, is a directory, may not be read, or is there twice under whatever name.
  init(_ paths: [String]) throws(LogError) {
    var known: [Identity: String] = [:]
    for path in paths {
      let status = try Self.status(path)
      if status.st_mode & S_IFMT == S_IFDIR { throw ArchiveReader.refusal(path, Errno(EISDIR)) }
      if unsafe access(path, R_OK) != 0 { throw ArchiveReader.refusal(path, .current) }
      guard status.st_mode & S_IFMT == S_IFREG else { continue }
      let identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
      if let other = known.updateValue(path, forKey: identity) {
        throw LogError("\(path) is the same file as \(other): name each file once, or its records count twice")
      }
    }
    self.paths = paths
  }

  private struct Identity: Hashable {
    var device: UInt64
    var inode: UInt64
  }

  /// Follows symbolic links: the operator chose the names.
  private static func status(_ path: String) throws(LogError) -> stat {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw ArchiveReader.refusal(path, .current) }
    return status
  }
}
