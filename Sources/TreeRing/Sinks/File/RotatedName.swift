import Glibc

/// The name of a file that was put aside: the log file's, and the time, `shop.log.20261123T235959.123Z`, with an ending when it is compressed.
struct RotatedName: Equatable {
  /// `20261123T235959.123Z`: 20 characters, so that names sort by time.
  let stamp: String
  let form: Form

  /// What a file under such a name holds.
  enum Form: Equatable {
    case plain
    case compressed(FileRotation.Compression)
    /// Compression that was not finished, or is under way.
    case partial
  }

  /// - Parameter base: the log file's name without its directory. Nil for a name of another making.
  init?(_ name: String, base: String) {
    guard name.hasPrefix(base + ".") else { return nil }
    let rest = Array(name.utf8.dropFirst(base.utf8.count + 1))
    guard rest.count >= Self.pattern.count else { return nil }
    for (byte, expected) in zip(rest, Self.pattern) {
      guard expected == UInt8(ascii: "0") ? UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte : byte == expected else {
        return nil
      }
    }
    stamp = String(decoding: rest[..<Self.pattern.count], as: UTF8.self)
    switch String(decoding: rest[Self.pattern.count...], as: UTF8.self) {
    case "": form = .plain
    case ".gz": form = .compressed(.gzip)
    case ".zst": form = .compressed(.zstd)
    case ".gz.part", ".zst.part": form = .partial
    default: return nil
    }
  }

  private static let pattern = Array("00000000T000000.000Z".utf8)

  /// The stamp of a moment, nanoseconds since 1970.
  static func stamp(at time: UInt64) -> String {
    var seconds = time_t(time / 1_000_000_000)
    var date = unsafe tm()
    unsafe gmtime_r(&seconds, &date)
    func digits(_ number: Int32, _ count: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let day = unsafe digits(date.tm_year + 1900, 4) + digits(date.tm_mon + 1, 2) + digits(date.tm_mday, 2)
    let clock = unsafe digits(date.tm_hour, 2) + digits(date.tm_min, 2) + digits(date.tm_sec, 2)
    return "\(day)T\(clock).\(digits(Int32(time / 1_000_000 % 1000), 3))Z"
  }

  /// The moment of a stamp; nil when it is none.
  static func time(of stamp: String) -> UInt64? {
    let bytes = Array(stamp.utf8)
    guard bytes.count == pattern.count else { return nil }
    func number(_ range: Range<Int>) -> Int32 { bytes[range].reduce(0) { $0 * 10 + Int32($1) - 48 } }
    var date = unsafe tm()
    unsafe (date.tm_year, date.tm_mon, date.tm_mday) = (number(0..<4) - 1900, number(4..<6) - 1, number(6..<8))
    unsafe (date.tm_hour, date.tm_min, date.tm_sec) = (number(9..<11), number(11..<13), number(13..<15))
    let seconds = unsafe timegm(&date)
    return seconds < 0 ? nil : UInt64(seconds) * 1_000_000_000 + UInt64(number(16..<19)) * 1_000_000
  }

  /// Stamps for a file that is put aside now, one millisecond apart: the next is for when a name is taken.
  ///
  /// - Parameter youngest: the last stamp that is in use. A clock that was set back, a day at most, does not make a file older than those before it.
  static func stamps(at now: UInt64, after youngest: String?, count: Int) -> [String] {
    var first = now
    if let youngest = youngest.flatMap(time), youngest / 1_000_000 >= now / 1_000_000,
      youngest < now + FileRotation.Period.daily.nanoseconds
    {
      first = youngest + 1_000_000
    }
    return (0..<count).map { stamp(at: first + UInt64($0) * 1_000_000) }
  }
}

extension FileRotation.Compression {
  /// What the name of a compressed file ends in.
  var ending: String {
    switch self {
    case .gzip: ".gz"
    case .zstd: ".zst"
    }
  }
}

/// A path's directory and its last part. `.` for a name without a directory.
func splitPath(_ path: String) -> (directory: String, name: String) {
  guard let slash = path.lastIndex(of: "/") else { return (".", path) }
  let directory = String(path[..<slash])
  return (directory.isEmpty ? "/" : directory, String(path[path.index(after: slash)...]))
}
