import CTreeRing
import Glibc

/// What became of a batch that was on its way to a regular file when its writer died.
///
/// The file is found by its inode: at its path, or under another name beside it, for it may have been put aside since. Others may have written to it, and
/// `copytruncate` may have cut it, so its length alone says nothing: the batch is known by its bytes. The answer holds as long as this object lives:
/// it keeps other writers out for so long.
final class FileArrival {
  /// The answer.
  enum Verdict {
    /// The whole batch stands in the file.
    case arrived
    /// Nothing of it, or a part at the file's end that `undo()` takes back.
    case missing
    /// The file is gone; or a part of the batch is there and somebody has written behind it. Sent again, some of its records may be there twice.
    case unknown
  }

  let verdict: Verdict
  private let path: String
  private let descriptor: Int32?
  /// Where to cut; nil: nothing is to be taken back.
  private let cut: off_t?

  /// - Parameters:
  ///   - owner: the ring file's. A file of another user is not touched, whatever the journal says; root may have given its own away.
  ///   - stream: the process's stream id, which stands in each of its lines in the formats that programs read.
  init(_ intent: TRIntent, owner: UInt32, stream: String) {
    var intent = intent
    let place = unsafe text(tr_intent_path(&intent), limit: Int(TR_PATH_SIZE))
    guard let (found, descriptor) = Self.find(intent, at: place, owner: owner) else {
      (path, descriptor, verdict, cut) = (place, nil, .unknown, nil)
      return
    }
    (path, self.descriptor) = (found, descriptor)
    Self.keepOthersOut(descriptor)
    (verdict, cut) = Self.judge(intent, descriptor, stream)
  }

  deinit {
    if let descriptor { LogFile.release(descriptor) }
  }

  /// Whether nothing of the batch is in the file after `undo()`.
  var canUndo: Bool { verdict == .missing || cut != nil }

  /// Takes back what arrived of the batch: a part, or all of it when another sink's file has not got it.
  func undo() throws(LogError) {
    guard let descriptor, let cut, ftruncate(descriptor, cut) != 0 else { return }
    throw LogError("cannot take back the cut lines at the end of \(path): \(Errno.current)")
  }

  // MARK: the file

  /// Names looked at beside the path, at most.
  private static let mostNames = 4096

  private static func find(_ intent: TRIntent, at path: String, owner: UInt32) -> (String, Int32)? {
    if let descriptor = open(intent, path, owner: owner) { return (path, descriptor) }
    let (directory, base) = splitPath(path)
    let names = ((try? Syscalls.list(directory)) ?? []).filter { $0.hasPrefix(base) && $0 != base }
    for name in names.prefix(mostNames) {
      let beside = "\(directory)/\(name)"
      if let descriptor = open(intent, beside, owner: owner) { return (beside, descriptor) }
    }
    return nil
  }

  /// Nil when it is another file.
  private static func open(_ intent: TRIntent, _ path: String, owner: UInt32) -> Int32? {
    // Looked at before it is opened: opening is not without effect on what is no regular file.
    guard let there = try? Syscalls.status(ofPath: path), isMeant(there, intent, owner),
      let descriptor = try? Syscalls.open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    else { return nil }
    let birth = tr_birth_time(descriptor)
    if let status = try? Syscalls.status(of: descriptor), isMeant(status, intent, owner),
      intent.birth == 0 || birth == 0 || intent.birth == birth
    {
      return descriptor
    }
    close(descriptor)
    return nil
  }

  private static func isMeant(_ status: stat, _ intent: TRIntent, _ owner: UInt32) -> Bool {
    status.st_dev == intent.device && status.st_ino == intent.inode && status.st_mode & S_IFMT == S_IFREG
      && (status.st_uid == owner || owner == 0)
  }

  /// While it is judged nobody is the only writer, and none of several appends. A writer that was stopped in the middle of a batch is waited for a second.
  private static func keepOthersOut(_ descriptor: Int32) {
    for _ in 0..<1000 {
      if tr_share_byte(descriptor, LogFile.Byte.presence) == 0, tr_lock_byte(descriptor, LogFile.Byte.append) == 0 {
        return
      }
      guard errno == EAGAIN || errno == EACCES else { return }
      Syscalls.sleep(nanoseconds: 1_000_000)
    }
  }

  // MARK: the batch in it

  /// More than any batch: one that is said to be larger is nonsense.
  private static let largestBatch: UInt64 = 256 << 20

  private static func judge(_ intent: TRIntent, _ descriptor: Int32, _ stream: String) -> (Verdict, cut: off_t?) {
    guard let status = try? Syscalls.status(of: descriptor), intent.length <= largestBatch,
      let offset = off_t(exactly: intent.offset)
    else { return (.unknown, nil) }
    // Nothing of it ever came, or `copytruncate` has cut the file since: then the copy may have it.
    guard status.st_size > offset else { return (.missing, nil) }
    let bytes = read(descriptor, offset, Int(min(UInt64(status.st_size - offset), intent.length)))
    let isLast = status.st_size - offset <= off_t(intent.length)
    return unsafe bytes.withUnsafeBytes { bytes in
      let (same, possible) = unsafe BatchMark.agreement(of: bytes, with: intent)
      // A first line that is shorter than what the journal knows of the batch, and then somebody else's.
      guard same == possible else { return (unsafe bytes[..<same].contains(0x0A) ? .unknown : .missing, nil) }
      if UInt64(bytes.count) == intent.length, unsafe BatchMark(bytes).tail == intent.tail_hash {
        return (.arrived, isLast ? offset : nil)
      }
      return unsafe isLast && !hasLinesOfOthers(bytes, stream) ? (.missing, offset) : (.unknown, nil)
    }
  }

  private static func read(_ descriptor: Int32, _ offset: off_t, _ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    unsafe bytes.withUnsafeMutableBytes { buffer in
      while done < count, let start = buffer.baseAddress {
        let result = unsafe pread(descriptor, start + done, count - done, offset + off_t(done))
        if result <= 0 { break }
        done += result
      }
    }
    return Array(bytes[..<done])
  }

  /// Whether a whole line among `bytes` is not of this stream. Formats for people do not name it; then nothing is known, and nothing suspected.
  private static func hasLinesOfOthers(_ bytes: UnsafeRawBufferPointer, _ stream: String) -> Bool {
    let lines = unsafe bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
    let mark = Array(stream.utf8)
    func isOurs(_ line: Slice<UnsafeRawBufferPointer>) -> Bool {
      guard unsafe line.count >= mark.count else { return false }
      return unsafe (line.startIndex...line.endIndex - mark.count).contains { start in
        unsafe line[start] == mark[0] && line[start..<start + mark.count].elementsEqual(mark)
      }
    }
    guard let first = unsafe lines.first, unsafe isOurs(first) else { return false }
    return unsafe lines.contains { unsafe !isOurs($0) }
  }
}
