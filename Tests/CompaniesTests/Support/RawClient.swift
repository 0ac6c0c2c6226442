import Foundation
import Glibc

/// An HTTP/1 client that hides nothing: what it is told goes out as it is, and what comes back is shown as it came.
/// Blocking, with a time-out on every call, so it runs on threads of its own (``onThread(_:)``): the server under test
/// needs Swift's pool.
final class RawClient: @unchecked Sendable {  // of one thread after the other
  struct Response: Equatable {
    var status = 0
    var headers: [String: String] = [:]
    var body = ""

    var closes: Bool { headers["connection"] == "close" }
  }

  enum Failure: Error, Equatable {
    case connect(Int32)
    case send(Int32)
    case receive(Int32)
    case ended
    case malformed(String)
  }

  private let descriptor: Int32
  private var buffer: [UInt8] = []

  init(port: Int, timeoutSeconds: Int = 60) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
    var address = Loopback.address(port: port)
    let outcome = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard outcome == 0 else { throw Failure.connect(errno) }
  }

  deinit { close(descriptor) }

  func send(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Failure.send(errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// One request, one answer.
  func exchange(
    _ method: String, _ target: String, headers: [String] = [], body: String? = nil
  ) throws -> Response {
    var lines = ["\(method) \(target) HTTP/1.1", "Host: localhost"] + headers
    if let body { lines.append("Content-Length: \(body.utf8.count)") }
    try send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
    return try receive(isHead: method == "HEAD")
  }

  /// Sends the head of a request whose body is to follow, and returns when the server waits for that: it asks for the body.
  func begin(_ method: String, _ target: String, bodyLength: Int) throws {
    let fields = "Host: localhost\r\nExpect: 100-continue\r\nContent-Length: \(bodyLength)"
    try send("\(method) \(target) HTTP/1.1\r\n\(fields)\r\n\r\n")
    let answer = try receive()
    guard answer.status == 100 else { throw Failure.malformed("status \(answer.status)") }
  }

  /// The next answer. One without a length reaches to the end of the connection.
  func receive(isHead: Bool = false) throws -> Response {
    var response = try receiveHead()
    if isHead || response.status < 200 || response.status == 204 || response.status == 304 { return response }
    if let length = response.headers["content-length"].flatMap(Int.init) {
      response.body = String(decoding: try take(length), as: UTF8.self)
    } else {
      response.body = String(decoding: try receiveToEnd(), as: UTF8.self)
    }
    return response
  }

  func receiveHead() throws -> Response {
    let end = Array("\r\n\r\n".utf8)
    while buffer.firstRange(of: end) == nil { try fill() }
    guard let range = buffer.firstRange(of: end) else { throw Failure.ended }
    let lines = String(decoding: buffer[..<range.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    buffer.removeSubrange(..<range.upperBound)
    let words = lines[0].split(separator: " ")
    guard words.count > 1, let status = Int(words[1]) else { throw Failure.malformed(lines[0]) }
    var response = Response(status: status)
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      response.headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    return response
  }

  /// What is left until the server closes.
  func receiveToEnd() throws -> [UInt8] {
    do { while true { try fill() } } catch Failure.ended {}
    defer { buffer = [] }
    return buffer
  }

  /// Ends the connection with a reset, as a client that crashes with data unread does.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    let null = unsafe open("/dev/null", O_RDONLY)
    dup2(null, descriptor)
    close(null)
  }

  private func take(_ count: Int) throws -> [UInt8] {
    while buffer.count < count { try fill() }
    defer { buffer.removeFirst(count) }
    return Array(buffer.prefix(count))
  }

  private func fill() throws {
    var chunk = [UInt8](repeating: 0, count: 65536)
    let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
    guard count >= 0 else { throw Failure.receive(errno) }
    guard count > 0 else { throw Failure.ended }
    buffer += chunk.prefix(count)
  }
}

enum Loopback {
  static func address(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    return address
  }

  /// A listening socket on a free port, as a supervisor would open it.
  static func listen() throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = address(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let outcome = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        guard unsafe bind(descriptor, $0, length) == 0, Glibc.listen(descriptor, 128) == 0 else { return false }
        return unsafe getsockname(descriptor, $0, &length) == 0
      }
    }
    guard outcome else { throw RawClient.Failure.connect(errno) }
    return (descriptor, Int(in_port_t(bigEndian: address.sin_port)))
  }
}

/// Runs blocking code on a thread of its own.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
  }
}
