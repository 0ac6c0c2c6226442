/// When a log file is put aside for a new one, and what becomes of those put aside.
///
/// A file is put aside between two batches, never within one: a line is whole, and a file is larger than `size` only when one batch is (about
/// 300 KiB). It keeps its directory and gets the time as its ending: `shop.log.20261123T235959.123Z`. These names sort by time and never replace
/// a file that exists. The new file has the old one's owner, and its mode as far as 0640 allows.
///
/// Several processes may write one file with the same rotation: one puts it aside, the others follow with their next batch.
public struct FileRotation: Sendable, Equatable {
  /// A file is put aside before it would become larger, in bytes; nil: however large it is. At least ``smallestSize``.
  public var size: Int?
  /// A file is put aside when the hour or the day has ended in which it was last written; nil: never. The writer thread wakes up for it, once, and
  /// only when there is something in the file.
  public var period: Period?
  /// How many of the files put aside are kept, the youngest; nil: all.
  public var keep: Int?
  /// Files put aside longer ago are removed, in days; nil: none. They are looked at when a file is put aside, and at the start.
  public var days: Int?
  /// How files put aside are compressed; nil: not at all.
  public var compression: Compression?

  /// The hours and days of UTC, which know no daylight saving: none is left out and none comes twice.
  public enum Period: String, Sendable, CaseIterable {
    /// At each full hour.
    case hourly
    /// At midnight.
    case daily
  }

  /// A format for files put aside. The library that makes it is loaded when the sink is opened, and is an error then if it is missing.
  public enum Compression: String, Sendable, CaseIterable {
    /// By `libz.so.1` (Debian: `zlib1g`).
    case gzip
    /// By `libzstd.so.1` (Debian: `libzstd1`).
    case zstd
  }

  /// The smallest ``size``, in bytes.
  public static let smallestSize = 4096

  /// A rotation; without `size` and `period` files are put aside by others only (`logrotate`).
  public init(
    size: Int? = nil, period: Period? = nil, keep: Int? = nil, days: Int? = nil, compression: Compression? = nil
  ) {
    self.size = size.map { max($0, Self.smallestSize) }
    self.period = period
    self.keep = keep
    self.days = days
    self.compression = compression
  }

  /// By size, in bytes.
  public static func size(_ bytes: Int, keep: Int? = nil, compression: Compression? = nil) -> Self {
    Self(size: bytes, keep: keep, compression: compression)
  }
  /// At midnight, UTC.
  public static func daily(keep: Int? = nil, compression: Compression? = nil) -> Self {
    Self(period: .daily, keep: keep, compression: compression)
  }
  /// At each full hour, UTC.
  public static func hourly(keep: Int? = nil, compression: Compression? = nil) -> Self {
    Self(period: .hourly, keep: keep, compression: compression)
  }
}

/// The decision, without I/O. Times are nanoseconds since 1970.
extension FileRotation {
  /// What a decision needs to know of the file.
  package struct State: Equatable {
    /// Its bytes.
    package var size: UInt64
    /// When it was last written.
    package var lastWritten: UInt64

    package init(size: UInt64, lastWritten: UInt64) {
      self.size = size
      self.lastWritten = lastWritten
    }
  }

  /// Whether the file is put aside before `length` more bytes go into it. An empty file never is.
  package func isDue(_ file: State, adding length: Int, now: UInt64) -> Bool {
    guard file.size > 0 else { return false }
    if let size, length > 0, file.size + UInt64(length) > UInt64(size) { return true }
    guard let period else { return false }
    // A clock that was set back puts nothing aside: the hour it shows has been there already.
    return now / period.nanoseconds > file.lastWritten / period.nanoseconds
  }

  /// When the file falls due by time alone; nil: never, as it is, or not within the times that there are.
  package func deadline(_ file: State) -> UInt64? {
    guard file.size > 0, let period else { return nil }
    let (end, isLate) = (file.lastWritten / period.nanoseconds + 1).multipliedReportingOverflow(by: period.nanoseconds)
    return isLate ? nil : end
  }
}

extension FileRotation.Period {
  package var nanoseconds: UInt64 {
    switch self {
    case .hourly: 3_600_000_000_000
    case .daily: 86_400_000_000_000
    }
  }
}
