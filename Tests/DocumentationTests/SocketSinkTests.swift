import Foundation
import Glibc
import TestSupport
import Testing
import TreeRing

/// The example of the article *Writing a sink* works.
@Suite struct SocketSinkTests {
  /// A listener of the other end.
  private final class Listener {
    private let descriptor: Int32

    init(_ path: String) throws {
      descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      let address = try #require(SocketAddress(path: path))
      let bound = unsafe address.withAddress { unsafe bind(descriptor, $0, $1) }
      try #require(bound == 0 && listen(descriptor, 1) == 0)
    }

    deinit { close(descriptor) }

    /// Takes a connection, reads so many bytes, and closes it. Blocking.
    func read(_ count: Int) -> [UInt8] {
      let connection = accept(descriptor, nil, nil)
      defer { close(connection) }
      var bytes = [UInt8](repeating: 0, count: count)
      var taken = 0
      while taken < count {
        let got = unsafe bytes.withUnsafeMutableBytes {
          unsafe recv(connection, $0.baseAddress?.advanced(by: taken), count - taken, 0)
        }
        guard got > 0 else { break }
        taken += got
      }
      return Array(bytes[..<taken])
    }
  }

  private func send(_ text: String, to sink: SocketSink) throws -> Int {
    var text = text
    return try text.withUTF8 { try unsafe sink.accept(UnsafeRawBufferPointer($0), patienceMilliseconds: 1000) }
  }

  @Test func deliversAndComesBack() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("socket")
    let sink = try SocketSink(path: path)
    #expect(throws: Errno(ENOTCONN)) { try send("lost\n", to: sink) }
    #expect(throws: Errno(ENOENT)) { try sink.reopen() }
    let listener = try Listener(path)
    #expect(try sink.reopen())
    #expect(try send("one\ntwo\n", to: sink) == 8)
    #expect(listener.read(8) == Array("one\ntwo\n".utf8))
    let error = #expect(throws: Errno.self) { for _ in 0..<100 { _ = try send("into the void\n", to: sink) } }
    #expect(error == Errno(EPIPE) || error == Errno(ECONNRESET))
    #expect(try sink.reopen())
    #expect(try send("three\n", to: sink) == 6)
    #expect(listener.read(6) == Array("three\n".utf8))
    sink.finish()
    #expect(throws: Errno(ENOTCONN)) { try send("after the end\n", to: sink) }
  }

  @Test func waitsForAReaderThatDoesNotReadAndNoLonger() throws {
    let directory = try TemporaryDirectory()
    let listener = try Listener(directory.file("socket"))
    let sink = try SocketSink(path: directory.file("socket"))
    let large = [UInt8](repeating: 10, count: 8 << 20)
    let taken = try unsafe large.withUnsafeBytes { try unsafe sink.accept($0, patienceMilliseconds: 10) }
    #expect(taken > 0 && taken < large.count)
    withExtendedLifetime(listener) {}
  }

  @Test func aPathThatIsTooLongIsNamed() {
    let path = "/" + String(repeating: "x", count: 200)
    let error = #expect(throws: LogError.self) { try SocketSink(path: path) }
    #expect(error?.description.contains(path) == true)
  }
}
