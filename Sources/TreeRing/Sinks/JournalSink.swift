import CTreeRing
import Glibc

/// systemd's journal, by its native protocol (systemd, "Native Journal Protocol"): one datagram an entry, each field a variable.
///
/// An entry too large for a datagram travels as a sealed file in memory (memfd). A journald that was restarted is found again at once: systemd keeps its
/// socket open meanwhile, so nothing is lost by that. Nothing is confirmed.
package final class JournalSink: Sink {
  package let path: String
  package let format: LogFormat
  package let colours = false
  package let level: Level
  private let options: SyslogOptions
  private let inner: LogFormat?
  private(set) var carrier: DatagramLines?

  package static let standardPath = "/run/systemd/journal/socket"

  package var name: String { path == Self.standardPath ? "journald:" : "journald:\(path)" }

  /// Throws for a path that is no socket's. Neither blocks nor connects.
  package init(
    path: String = standardPath, options: SyslogOptions = SyslogOptions(), format: LogFormat? = nil,
    level: Level = .trace
  ) throws(LogError) {
    guard SocketAddress(path: path) != nil else {
      throw LogError("cannot log to journald:\(path): the path of a socket has 1 to 107 bytes; use a shorter one")
    }
    self.path = path
    self.options = options
    self.level = level
    inner = format
    self.format = format ?? .json
  }

  package func makeFormatter() -> any Formatter { JournalFormatter(options, message: inner?.makeMessageFormatter()) }

  package func intent(length: Int) -> SinkIntent { .stream }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    guard try unsafe accept(bytes, patienceMilliseconds: 100) == bytes.count else { throw Errno(EAGAIN) }
  }

  package func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    guard bytes.count > 0 else { return 0 }
    if let carrier, let taken = try? unsafe carrier.accept(bytes, patienceMilliseconds: patienceMilliseconds) {
      return taken
    }
    _ = try reopen()
    do {
      return try unsafe carrier?.accept(bytes, patienceMilliseconds: patienceMilliseconds) ?? 0
    } catch {
      carrier = nil
      throw error
    }
  }

  package func reopen() throws(Errno) -> Bool {
    carrier = nil
    guard let address = SocketAddress(path: path) else { throw Errno(ENAMETOOLONG) }
    let socket = try Socket.connected(to: address, SOCK_DGRAM)
    carrier = JournalDatagrams(socket)
    return true
  }

  package func describe(_ error: Errno) -> String {
    switch error.code {
    case ENOENT: "there is no journald here"
    case EAGAIN: "journald does not keep up"
    default: "\(error)"
    }
  }

  package func synchronise() {}

  package func finish() { carrier = nil }
}

/// One entry a line.
private final class JournalDatagrams: DatagramLines {
  private let entry = OutputBuffer(capacity: 4096)

  override func send(_ line: UnsafeRawBufferPointer) -> Socket.Sent {
    entry.removeAll()
    unsafe entry.appendJournalEntry(line)
    let sent = unsafe socket.send(entry.bytes)
    guard case .failed(let error) = sent, error.code == EMSGSIZE else { return sent }
    return unsafe sendFile(entry.bytes)
  }

  /// The content as a sealed file, which is all that the receiver needs to trust it.
  private func sendFile(_ bytes: UnsafeRawBufferPointer) -> Socket.Sent {
    let file = unsafe tr_memfd("treering-journal")
    guard file >= 0 else { return .failed(.current) }
    defer { close(file) }
    if let error = unsafe Syscalls.writeAll(file, bytes).error { return .failed(error) }
    guard tr_seal(file) == 0 else { return .failed(.current) }
    return socket.send(file: file)
  }
}

extension OutputBuffer {
  /// A line of ``JournalFormatter`` as an entry: `NAME=value` with a line feed, or, where the value has one itself, the name, a line feed, the length as 8 bytes,
  /// little-endian, the value, a line feed.
  func appendJournalEntry(_ line: UnsafeRawBufferPointer) {
    var start = 0
    while start < line.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: line[start...])
      let count = unsafe rest.firstIndex(of: JournalFormatter.separator) ?? rest.count
      unsafe appendJournalField(UnsafeRawBufferPointer(rebasing: rest[..<count]))
      start += count + 1
    }
  }

  private func appendJournalField(_ field: UnsafeRawBufferPointer) {
    guard unsafe field.contains(JournalFormatter.lineFeed), let equals = unsafe field.firstIndex(of: UInt8(ascii: "="))
    else {
      unsafe append(field.assumingMemoryBound(to: UInt8.self))
      return append(UInt8(ascii: "\n"))
    }
    unsafe append(UnsafeBufferPointer(rebasing: field.assumingMemoryBound(to: UInt8.self)[..<equals]))
    append(UInt8(ascii: "\n"))
    let value = unsafe UnsafeRawBufferPointer(rebasing: field[(equals + 1)...])
    unsafe withUnsafeBytes(of: UInt64(value.count).littleEndian) {
      unsafe append($0.assumingMemoryBound(to: UInt8.self))
    }
    for index in 0..<value.count {
      let byte = unsafe value[index]
      append(byte == JournalFormatter.lineFeed ? UInt8(ascii: "\n") : byte)
    }
    append(UInt8(ascii: "\n"))
  }
}
