import CTreeRing
import Glibc

/// A regular file, appended to, put aside by its rotation, and followed when others put it aside.
///
/// **Each batch.** The sink looks whether its path still leads to the file it has open. `logrotate` renames the file, somebody removes it, another process that
/// writes it puts it aside: the sink then opens the new one, or makes it. No signal is needed, and none is taken from the program; the look costs one system call
/// a batch. Then it puts the file aside when that is due, and only then says what the intent journal has to remember: a batch never begins in one file and
/// ends in another, and a crash at any point of a rotation finds no batch on its way.
///
/// **One writer.** While nobody else has the file open, its length says whether a batch has arrived: that is what makes records exactly-once over a crash.
/// A batch that the disk takes in part only is taken back.
///
/// **Several writers.** Each appends whole batches, under a lock. What is cut off by a full disk or a death is ended with a line feed by
/// the next writer, stands in the file as a line that is no record, and is sent again: a crash may repeat one batch.
///
/// **`copytruncate`.** The file is open for appending, so after it was cut the next batch begins at its start. What is written between the copy and the cut is
/// lost, as with every program: that is what `copytruncate` means.
package final class FileSink: Sink {
  package let path: String
  package var name: String { "file:\(path)" }
  package let format: LogFormat
  package let colours = false
  package let level: Level
  let options: FileOptions
  /// What the thread in the background does with files put aside; nil when there is nothing to do.
  private let chore: FileChore?
  /// Nanoseconds since 1970.
  private let clock: () -> UInt64
  private let complain: (String) -> Void
  private var file: LogFile
  /// The batch that the journal remembers has the file for itself.
  private var isOnlyWriter = false
  /// Where the last batch ended, when this was the only writer; a file of another length has to be looked at.
  private var end: off_t?
  /// When the oldest bytes were written that fdatasync has not seen.
  private var unsyncedSince: UInt64?
  private var attempts = Attempts()
  /// A file was left since the thread in the background was last told.
  private var hasLeftFile = false

  /// Opens or makes the file, mode 0640, never through a symbolic link. Blocking. Files put aside that an earlier run left unfinished are seen to in the background.
  ///
  /// - Throws: ``LogError`` when the file cannot be opened, or a compression's library is missing.
  package init(
    path: String, format: LogFormat? = nil, level: Level = .trace, options: FileOptions = FileOptions(),
    clock: @escaping () -> UInt64 = { Syscalls.now(CLOCK_REALTIME) },
    complain: @escaping (String) -> Void = { Syscalls.complain($0) }
  ) throws(LogError) {
    self.path = path
    self.format = format ?? .json
    self.level = level
    self.options = options
    self.clock = clock
    self.complain = complain
    chore = try FileChore(path: path, rotation: options.rotation)
    do { file = try LogFile(path) } catch { throw Self.cannotOpen(path, error) }
    if let chore { FileKeeper.shared.add(chore) }
  }

  private static func cannotOpen(_ path: String, _ error: Errno) -> LogError {
    if let status = try? Syscalls.status(ofPath: path) {
      let kind = status.st_mode & S_IFMT
      if kind == S_IFLNK {
        return LogError("cannot open the log file \(path): it is a symbolic link; name the file it points to")
      }
      if kind != S_IFREG {
        return LogError("the log file \(path) is not a regular file; use a fifo: or stderr: sink")
      }
    }
    return LogError("cannot open the log file \(path): \(error); check the directory and its permissions", errno: error)
  }

  // MARK: a batch

  package func intent(length: Int) throws(Errno) -> SinkIntent {
    defer { seeToFilesPutAside() }
    do throws(Errno) {
      return try prepare(length)
    } catch {
      // Nothing is written now, for as long as the outage lasts: others are not kept out meanwhile.
      if isOnlyWriter { shareAgain() }
      throw error
    }
  }

  private func prepare(_ length: Int) throws(Errno) -> SinkIntent {
    let now = clock()
    try follow(now)
    isOnlyWriter = file.claim()
    var status = try file.status()
    if let rotation = options.rotation, rotation.isDue(.init(status), adding: length, now: now), attempts.mayRotate(now)
    {
      try putAside(now)
      isOnlyWriter = file.claim()
      status = try file.status()
    }
    guard isOnlyWriter else { return .stream }
    if status.st_size != end, file.endsWithinLine(size: status.st_size) {
      try file.endLine()
      status.st_size += 1
    }
    end = status.st_size
    return .file(
      path: path, device: file.identity.device, inode: file.identity.inode, birth: file.birth,
      offset: UInt64(status.st_size))
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    defer { if isOnlyWriter { shareAgain() } }
    guard unsafe !bytes.isEmpty else { return }
    let start = end
    if isOnlyWriter, let start { try unsafe writeAlone(bytes, from: start) } else { try unsafe writeAmongOthers(bytes) }
    // Removed since it was looked at: nobody will ever read what was written there.
    if let status = try? file.status(), status.st_nlink == 0 {
      try follow(clock(), mustReplace: true)
      try unsafe writeAmongOthers(bytes)
    }
    try synchroniseAfterBatch { if isOnlyWriter, let start { file.takeBack(bytes.count, from: start) } }
  }

  private func shareAgain() {
    file.share()
    isOnlyWriter = false
  }

  private func writeAlone(_ bytes: UnsafeRawBufferPointer, from start: off_t) throws(Errno) {
    let (written, error) = unsafe Syscalls.writeAll(file.descriptor, bytes)
    guard let error else {
      end = start + off_t(written)
      return
    }
    // Half a batch would be half a line: it is taken back, so that the whole batch can be tried again.
    file.takeBack(written, from: start)
    end = nil
    throw error
  }

  private func writeAmongOthers(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    end = nil
    let isLocked = file.lock(LogFile.Byte.append)
    defer { if isLocked { file.unlock(LogFile.Byte.append) } }
    if file.endsWithinLine(size: try file.status().st_size) { try file.endLine() }
    let (written, error) = unsafe Syscalls.writeAll(file.descriptor, bytes)
    guard let error else { return }
    // Others may have written behind it: it cannot be taken back. When even the line feed finds no room, the next writer puts it there.
    if written > 0, unsafe bytes[written - 1] != UInt8(ascii: "\n") { try? file.endLine() }
    throw error
  }

  // MARK: the file at the path

  /// Opens the file that the path leads to when it is another one than before, or none.
  ///
  /// Where that fails, the old file is written on as long as it has a name: a line under an old name is better than none. It is tried again each second.
  private func follow(_ now: UInt64, mustReplace: Bool = false) throws(Errno) {
    guard mustReplace || !file.isAt(path), mustReplace || attempts.mayFollow(now) else { return }
    let old = try file.status()
    do {
      let next = try LogFile(path, inPlaceOf: old)
      leave()
      file = next
      attempts.followed()
      hasLeftFile = true
    } catch {
      // Nobody can read a file without a name: that is an outage, which the drain tells.
      if old.st_nlink == 0 { throw error }
      if attempts.followFailed(now) {
        complain("cannot open \(path) after it was moved: \(error); going on in the old file, and trying again")
      }
    }
  }

  /// Not before the old file is closed: one that this sink still has open would be left alone.
  private func seeToFilesPutAside() {
    if hasLeftFile, let chore { FileKeeper.shared.add(chore) }
    hasLeftFile = false
  }

  /// The last things to do with a file that is left to others.
  private func leave() {
    if options.durability != .system { fdatasync(file.descriptor) }
    (unsyncedSince, end, isOnlyWriter) = (nil, nil, false)
  }

  /// Puts the file aside and opens a new one. What fails is told once, and the file is written on: a rotation never stops logging.
  private func putAside(_ now: UInt64) throws(Errno) {
    guard file.lock(LogFile.Byte.rotation) else { return }
    let old = file
    defer { old.unlock(LogFile.Byte.rotation) }
    // Another process may have done it while this one waited.
    if file.isAt(path) {
      do {
        try RotatedFiles(of: path).rename(now)
        attempts.rotated()
      } catch {
        guard attempts.rotationFailed(now) else { return }
        return complain("cannot put \(path) aside: \(error); check that its directory is writable; the file grows")
      }
    }
    try follow(now)
  }

  // MARK: without a record

  /// What there is to do while nothing is logged: follows the path, puts the file aside at the full hour, makes the last batches durable. Cost: a system call, and
  /// another one for a file with a period.
  package func attend() -> UInt64? {
    defer { seeToFilesPutAside() }
    let now = clock()
    try? follow(now)
    return [putAsideWhenDue(now), synchroniseWhenDue(now)].compactMap { $0 }.min()
  }

  /// Puts the file aside if its hour or day is over. Returns when that will be, if it is not yet.
  private func putAsideWhenDue(_ now: UInt64) -> UInt64? {
    guard let rotation = options.rotation, rotation.period != nil, var status = try? file.status() else { return nil }
    if rotation.isDue(.init(status), adding: 0, now: now), attempts.mayRotate(now) {
      try? putAside(now)
      guard let after = try? file.status() else { return nil }
      status = after
    }
    return rotation.deadline(.init(status)).map { max($0, attempts.rotation) }
  }

  /// Looks at once whether the path leads to another file.
  package func reopen() throws(Errno) -> Bool {
    attempts.followAtOnce()
    try follow(clock())
    return true
  }

  // MARK: the disk

  private func synchroniseAfterBatch(orElse takeBack: () -> Void) throws(Errno) {
    switch options.durability {
    case .system: break
    case .eachBatch:
      guard fdatasync(file.descriptor) != 0 else { break }
      let error = Errno.current
      // The pages that could not be written are forgotten by the kernel; only a batch that is written again is tried again.
      takeBack()
      end = nil
      throw error
    case .every:
      unsyncedSince = unsyncedSince ?? clock()
      _ = synchroniseWhenDue(clock())
    }
  }

  /// Returns when it is due, if it is not yet.
  private func synchroniseWhenDue(_ now: UInt64) -> UInt64? {
    guard case .every(let milliseconds) = options.durability, let since = unsyncedSince else { return nil }
    let due = since + UInt64(milliseconds) * 1_000_000
    // A clock that was set back does not postpone it.
    guard now >= due || now < since else { return due }
    synchronise()
    return nil
  }

  package func synchronise() {
    unsyncedSince = nil
    if fdatasync(file.descriptor) != 0, attempts.synchronisationFailed() {
      complain("cannot make \(path) durable: \(Errno.current)")
    }
  }

  /// What is tried again and again, and told once.
  private struct Attempts {
    /// When it may be tried again; 0: at once.
    private(set) var rotation: UInt64 = 0
    private var following: UInt64 = 0
    private var hasToldFollowing = false
    private var hasToldSynchronisation = false

    func mayRotate(_ now: UInt64) -> Bool { now >= rotation }
    mutating func rotated() { rotation = 0 }
    /// Whether to tell it.
    mutating func rotationFailed(_ now: UInt64) -> Bool {
      defer { rotation = now + 10_000_000_000 }
      return rotation == 0
    }

    func mayFollow(_ now: UInt64) -> Bool { now >= following }
    mutating func followAtOnce() { following = 0 }
    mutating func followed() { (following, hasToldFollowing) = (0, false) }
    mutating func followFailed(_ now: UInt64) -> Bool {
      defer { (following, hasToldFollowing) = (now + 1_000_000_000, true) }
      return !hasToldFollowing
    }

    mutating func synchronisationFailed() -> Bool {
      defer { hasToldSynchronisation = true }
      return !hasToldSynchronisation
    }
  }
}

extension FileRotation.State {
  init(_ status: stat) {
    self.init(size: UInt64(max(status.st_size, 0)), lastWritten: Syscalls.nanoseconds(status.st_mtim))
  }
}
