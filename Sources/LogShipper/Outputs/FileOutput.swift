import Glibc
package import TreeRing

/// The archive: NDJSON files whose names follow the day, each record once.
///
/// As a ``Sink`` it takes part in the intent journal of every ring file that is drained into it, so a collector's death neither loses nor repeats
/// a record. One thread at a time.
package final class FileOutput: Sink {
  package let name: String
  package let format = LogFormat.json
  package let colours = false
  package let level = Level.trace
  private let pattern: PathPattern
  private let now: () -> UInt64
  private var current: FileSink?

  /// - Parameters:
  ///   - path: absolute; `%Y`, `%m`, `%d` and `%H` stand for the date and hour in UTC.
  ///   - now: nanoseconds since 1970.
  /// - Throws: ``LogError`` when the directory cannot be made or today's file cannot be opened.
  package init(path: String, now: @escaping () -> UInt64 = { Syscalls.now(CLOCK_REALTIME) }) throws(LogError) {
    name = "file:\(path)"
    pattern = PathPattern(path)
    self.now = now
    _ = try file()
  }

  /// The file of this hour, opened when it is another one than before.
  private func file() throws(LogError) -> FileSink {
    let path = pattern.path(at: now())
    if let current, current.path == path { return current }
    let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    do { try Syscalls.makeDirectories(directory, mode: 0o750) } catch {
      throw LogError(
        "cannot make the archive directory \(directory): \(error); check its parent's permissions", errno: error)
    }
    let file = try FileSink(path: path, format: .json)
    current?.synchronise()
    current = file
    return file
  }

  package func intent(length: Int) throws(Errno) -> SinkIntent {
    let file: FileSink
    do { file = try self.file() } catch { throw error.errno ?? Errno(EIO) }
    return try file.intent(length: length)
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    // The file that the intent names, even when the hour has struck since.
    guard let current else { throw Errno(EBADF) }
    try unsafe current.write(bytes)
  }

  package func synchronise() { current?.synchronise() }
}

/// A path with a date in it.
struct PathPattern {
  private let text: String

  init(_ text: String) { self.text = text }

  /// The path at a moment, nanoseconds since 1970, in UTC.
  func path(at nanoseconds: UInt64) -> String {
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var date = unsafe tm()
    unsafe gmtime_r(&seconds, &date)
    let fields: [(String, Int32, Int)] = unsafe [
      ("%Y", date.tm_year + 1900, 4), ("%m", date.tm_mon + 1, 2), ("%d", date.tm_mday, 2), ("%H", date.tm_hour, 2),
    ]
    return fields.reduce(text) { path, field in
      let digits = String(field.1)
      let number = String(repeating: "0", count: max(0, field.2 - digits.count)) + digits
      return path.replacing(field.0, with: number)
    }
  }
}

extension String {
  /// Every occurrence of `old` replaced.
  func replacing(_ old: String, with new: String) -> String {
    var result = ""
    var rest = self[...]
    while let first = rest.first {
      if rest.hasPrefix(old) {
        result += new
        rest = rest.dropFirst(old.count)
      } else {
        result.append(first)
        rest = rest.dropFirst()
      }
    }
    return result
  }
}
