import Glibc

/// How whole lines go through a connected socket: what of ``Sink/accept(_:patienceMilliseconds:)`` is the same for every connection.
protocol LineCarrier: AnyObject {
  var socket: Socket { get }
  /// Takes whole lines from the front of `bytes` and returns how many bytes they have. An error means that nothing was taken and the connection is lost.
  func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int
}

/// Waits once for room in a socket, and for no longer than it was told to: a peer that takes a little now and then must not hold the writer.
struct Patience {
  private var milliseconds: Int

  init(milliseconds: Int) { self.milliseconds = milliseconds }

  /// Whether it is worth trying again.
  mutating func waitForRoom(in socket: Socket) -> Bool {
    guard milliseconds > 0, socket.hasRoom(withinMilliseconds: milliseconds) else { return false }
    milliseconds = 0
    return true
  }
}

/// One line of bytes that are whole lines.
@unsafe
struct LineCursor {
  /// Without its line feed.
  let line: UnsafeRawBufferPointer
  /// With it.
  let length: Int

  /// The line that begins at `start`; nil at the end.
  init?(_ bytes: UnsafeRawBufferPointer, at start: Int) {
    guard start < bytes.count, let base = bytes.baseAddress else { return nil }
    var end = bytes.count
    if let found = unsafe memchr(base + start, 0x0A, bytes.count - start) {
      end = unsafe UnsafeRawPointer(found) - base
    }
    unsafe line = UnsafeRawBufferPointer(start: base + start, count: end - start)
    unsafe length = min(end + 1, bytes.count) - start
  }
}

/// One datagram a line, without the line feed.
class DatagramLines: LineCarrier {
  let socket: Socket

  /// Of UDP the kernel tells a refusal once: it is kept for the call that may throw it.
  private var failure: Errno?

  init(_ socket: Socket) { self.socket = socket }

  func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    if let failure { throw failure }
    var patience = Patience(milliseconds: patienceMilliseconds)
    var taken = 0
    while let cursor = unsafe LineCursor(bytes, at: taken) {
      switch unsafe send(cursor.line) {
      case .took: taken += unsafe cursor.length
      case .full: if !patience.waitForRoom(in: socket) { return taken }
      case .failed(let error):
        failure = error
        if taken > 0 { return taken }
        throw error
      }
    }
    return taken
  }

  /// Sends one line. One that is more than a datagram may hold here is cut to what any network takes, rather than to hold up all that follow.
  func send(_ line: UnsafeRawBufferPointer) -> Socket.Sent {
    let sent = unsafe socket.send(line)
    guard case .failed(let error) = sent, error.code == EMSGSIZE, line.count > Self.smallest else { return sent }
    var end = Self.smallest
    while end > 0, unsafe line[end] & 0xC0 == 0x80 { end -= 1 }
    return unsafe socket.send(UnsafeRawBufferPointer(rebasing: line[..<end]))
  }

  /// RFC 5426, section 3.2: every receiver takes it.
  private static let smallest = 480
}

/// Lines in a stream, each in a frame of its own.
final class StreamLines: LineCarrier {
  /// How a receiver knows where a message ends.
  enum Framing {
    /// RFC 6587, section 3.4.1: the length in decimal, a blank, the message.
    case octetCounting
    /// As glibc's `syslog(3)` does on a stream socket: a zero byte at the end.
    case zeroByte
  }

  let socket: Socket
  private let framing: Framing
  private let frames = OutputBuffer(capacity: chunkSize + 4096)
  /// Bytes of the first line's frame that have been sent. The caller comes again with that line.
  private var sentOfFrame = 0

  private static let chunkSize = 65_536

  init(_ socket: Socket, _ framing: Framing) {
    self.socket = socket
    self.framing = framing
  }

  func accept(_ bytes: UnsafeRawBufferPointer, patienceMilliseconds: Int) throws(Errno) -> Int {
    if bytes.count > 0, socket.isClosedByPeer { throw Errno(ECONNRESET) }
    var patience = Patience(milliseconds: patienceMilliseconds)
    var taken = 0
    while taken < bytes.count {
      unsafe fill(from: bytes, at: taken)
      switch unsafe socket.send(UnsafeRawBufferPointer(rebasing: frames.bytes[sentOfFrame...])) {
      case .took(let count): taken += unsafe settle(count, bytes, at: taken)
      case .full: if !patience.waitForRoom(in: socket) { return taken }
      case .failed(let error):
        if taken > 0 { return taken }
        throw error
      }
    }
    return taken
  }

  /// Frames for as many lines as fit a chunk, at least one.
  private func fill(from bytes: UnsafeRawBufferPointer, at start: Int) {
    frames.removeAll()
    var position = start
    while frames.count < Self.chunkSize, let cursor = unsafe LineCursor(bytes, at: position) {
      if framing == .octetCounting {
        frames.append(UInt64(unsafe cursor.line.count))
        frames.append(UInt8(ascii: " "))
      }
      unsafe frames.append(cursor.line.assumingMemoryBound(to: UInt8.self))
      if framing == .zeroByte { frames.append(0 as UInt8) }
      position += unsafe cursor.length
    }
  }

  /// After `count` bytes more of the frames have been sent: bytes of the lines that have gone whole.
  private func settle(_ count: Int, _ bytes: UnsafeRawBufferPointer, at start: Int) -> Int {
    sentOfFrame += count
    var position = start
    while let cursor = unsafe LineCursor(bytes, at: position) {
      let overhead = unsafe framing == .zeroByte ? 1 : Decimal.digits(of: UInt64(cursor.line.count)) + 1
      let frame = unsafe cursor.line.count + overhead
      if sentOfFrame < frame { break }
      sentOfFrame -= frame
      position += unsafe cursor.length
    }
    return position - start
  }
}
