import Glibc

/// Shows the lines of a file of NDJSON, or of a pipe, as they come. Follows the file's name: when it is rotated away, what is left of the old file is read, then
/// the new one from its beginning; when it is cut, it begins anew.
///
/// Memory: one line, at most 1 MiB of it, and what one look reads, at most 4 MiB.
package final class FileView: ViewSource {
  private let path: String
  private let filter: ViewFilter
  private let keepsJSON: Bool
  private let isPipe: Bool
  private var file: Int32?
  private var identity: Identity?
  private var position: Int64 = 0
  private var lines = LineSplitter()
  private var time: UInt64 = 0
  private var isOver = false
  package private(set) var isBusy = false

  private static let block = 262_144
  private static let mostOfALook = 4 << 20

  private struct Identity: Equatable {
    var device: UInt64
    var inode: UInt64
  }

  /// - Parameter path: `-` is standard input.
  /// - Throws: ``LogError`` when the file cannot be read, or is compressed.
  package init(_ path: String, filter: ViewFilter, keepsJSON: Bool) throws(LogError) {
    self.path = path
    self.filter = filter
    self.keepsJSON = keepsJSON
    if path == "-" {
      file = STDIN_FILENO
      isPipe = true
      return
    }
    let opened = try Self.open(path)
    (file, identity) = (opened.file, opened.identity)
    isPipe = !opened.isRegular
  }

  deinit { if let file, file != STDIN_FILENO { close(file) } }

  package var isFinished: Bool { isOver }
  package var descriptor: Int32? { isPipe && !isOver ? file : nil }

  private static func open(_ path: String) throws(LogError) -> (file: Int32, identity: Identity, isRegular: Bool) {
    let file: Int32
    do { file = try Syscalls.open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK) } catch {
      throw LogError(
        error.code == ENOENT ? "there is no file \(path): check the name" : "cannot read \(path): \(error)")
    }
    do {
      let status = try Syscalls.status(of: file)
      guard status.st_mode & S_IFMT != S_IFDIR else { throw Errno(EISDIR) }
      try refuseCompressed(path, file)
      return (
        file, Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)), status.st_mode & S_IFMT == S_IFREG
      )
    } catch {
      close(file)
      throw error as? LogError ?? LogError("cannot read \(path): \(error)")
    }
  }

  private static func refuseCompressed(_ path: String, _ file: Int32) throws(LogError) {
    var magic: UInt32 = 0
    guard unsafe pread(file, &magic, 4, 0) == 4 else { return }
    let tool = magic & 0xFFFF == 0x8B1F ? "gzip" : magic == 0xFD2F_B528 ? "zstd" : nil
    if let tool { throw LogError("\(path) is compressed: \(tool) -dc \(path) | treering tail -") }
  }

  // MARK: what is there already

  package func backlog(_ limit: Int?) throws(LogError) -> [ViewItem] {
    guard let file, !isPipe, let limit else { return [] }
    let size = Int64((try? Syscalls.status(of: file))?.st_size ?? 0)
    position = size
    return inOrder(lastItems(file, size, limit))
  }

  /// The last wanted lines, the last one first. Reads backwards, until there are enough.
  private func lastItems(_ file: Int32, _ size: Int64, _ limit: Int) -> [ViewItem] {
    var found: [ViewItem] = []
    var end = size
    // The end of a line whose beginning lies further in front.
    var rest: [UInt8] = []
    var isLast = true
    while end > 0, found.count < limit || isLast {
      let start = max(0, end - Int64(Self.block))
      let bytes = Self.read(file, start, Int(end - start)) + rest
      end = start
      var pieces = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      // Behind the last line feed stands a line that is being written, or nothing.
      if isLast, pieces.count > 1 || start == 0, let open = pieces.popLast() {
        lines.begin(with: Array(open))
        isLast = false
      }
      rest = start > 0 && !pieces.isEmpty ? Array(pieces.removeFirst()) : []
      if rest.count > LineSplitter.longestLine { rest.removeLast(rest.count - LineSplitter.longestLine) }
      for line in pieces.reversed() where found.count < limit {
        if let item = item(Array(line.prefix(LineSplitter.longestLine)), time: 0) { found.append(item) }
      }
    }
    return found
  }

  /// Turns them round, and gives plain lines the time of the one before.
  private func inOrder(_ found: [ViewItem]) -> [ViewItem] {
    found.reversed().map { item in
      if case .line(let line, _) = item { return .line(line, time: time) }
      time = item.time
      return item
    }
  }

  private static func read(_ file: Int32, _ start: Int64, _ count: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let result = unsafe pread(file, buffer.baseAddress, count, off_t(start))
      initialized = max(result, 0)
    }
  }

  // MARK: what comes

  package func look(until moment: UInt64) -> [ViewItem] {
    isBusy = false
    var items: [ViewItem] = []
    if isPipe { readPipe(&items) } else { readFile(&items) }
    return items
  }

  private func readFile(_ items: inout [ViewItem]) {
    if let file, let size = (try? Syscalls.status(of: file))?.st_size, Int64(size) < position {
      position = 0
      lines = LineSplitter()
      tell(.truncated, &items)
    }
    readOn(&items)
    // Everything of the old file first.
    guard !isBusy, let current = currentIdentity, current != identity else { return }
    finishLine(&items)
    guard let opened = try? Self.open(path) else { return }
    if let file { close(file) }
    (file, identity, position) = (opened.file, opened.identity, 0)
    tell(.rotated, &items)
    readOn(&items)
  }

  /// That of the file that has the name now; nil when there is none.
  private var currentIdentity: Identity? {
    // Following a symbolic link, as opening does.
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  private func readOn(_ items: inout [ViewItem]) {
    guard let file else { return }
    var total = 0
    while total < Self.mostOfALook {
      let bytes = Self.read(file, position, Self.block)
      if bytes.isEmpty { return }
      isBusy = true
      position += Int64(bytes.count)
      total += bytes.count
      lines.split(bytes) { take($0, &items) }
    }
  }

  private func readPipe(_ items: inout [ViewItem]) {
    guard let file, !isOver else { return }
    var state = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&state, 1, 0) > 0 else { return }
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.block) { buffer, initialized in
      let result = unsafe Glibc.read(file, buffer.baseAddress, Self.block)
      if result < 0 { failure = errno }
      initialized = max(result, 0)
    }
    if failure == EAGAIN || failure == EINTR { return }
    isBusy = true
    lines.split(bytes) { take($0, &items) }
    guard bytes.isEmpty else { return }
    isOver = true
    finishLine(&items)
  }

  /// The end of a file whose last line has no end.
  package func finishLine() -> [ViewItem] {
    var items: [ViewItem] = []
    finishLine(&items)
    return items
  }

  private func finishLine(_ items: inout [ViewItem]) { lines.finish { take($0, &items) } }

  private func take(_ line: [UInt8], _ items: inout [ViewItem]) {
    guard let item = item(line, time: time) else { return }
    time = item.time
    items.append(item)
  }

  private func item(_ line: [UInt8], time: UInt64) -> ViewItem? {
    if line.isEmpty { return nil }
    guard let record = ViewedRecord(line: line, keepsJSON: keepsJSON) else {
      return filter.passes(line: line) ? .line(line, time: time) : nil
    }
    return filter.passes(record) ? .record(record) : nil
  }

  private func tell(_ kind: ViewNotice.Kind, _ items: inout [ViewItem]) {
    // Between the lines where it happened.
    items.append(.notice(ViewNotice(kind, time: time > 0 ? time : Syscalls.now(CLOCK_REALTIME), subject: path)))
  }
}

/// Cuts a stream of bytes into lines. Of a line that is too long only the beginning is kept.
struct LineSplitter {
  private var open: [UInt8] = []

  static let longestLine = 1 << 20

  /// Begins with the beginning of a line.
  mutating func begin(with bytes: [UInt8]) { open = Array(bytes.prefix(Self.longestLine)) }

  /// Calls `body` with each line that ends in `bytes`, without its end.
  mutating func split(_ bytes: [UInt8], _ body: ([UInt8]) -> Void) {
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      append(bytes[start..<end])
      finish(body)
      start = end + 1
    }
    append(bytes[start...])
  }

  /// Calls `body` with the line that has no end, if there is one.
  mutating func finish(_ body: ([UInt8]) -> Void) {
    if open.last == UInt8(ascii: "\r") { open.removeLast() }
    if !open.isEmpty { body(open) }
    open = []
  }

  private mutating func append(_ bytes: ArraySlice<UInt8>) {
    open += bytes.prefix(max(Self.longestLine - open.count, 0))
  }
}
