import Foundation
import Glibc
import Testing

@testable import Companies

/// A worker that is told to stop loses no request, and does stop.
@Suite struct DrainTests {
  @Test func noRequestFailsWhileOneOfTwoWorkersDrains() async throws {
    let (descriptor, port) = try Loopback.listen()
    defer { close(descriptor) }
    let shared = dup(descriptor)
    let done = Records<Int>()
    try await withService({ $0.listening = .adopt(fileDescriptor: dup(descriptor)) }) { first in
      try await withService({ $0.listening = .adopt(fileDescriptor: shared) }) { second in
        try await withThrowingTaskGroup { clients in
          for _ in 0..<4 {
            clients.addTask { try await onThread { try Self.keepAsking(port: port, times: 500, done) } }
          }
          clients.addTask {
            while done.all.count < 500 { try await Task.sleep(for: .milliseconds(2)) }
            second.stop()
          }
          try await clients.waitForAll()
        }
        let total = { first.access.all.count + second.access.all.count }
        for _ in 0..<200 where total() < 2000 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(total() == 2000)
        #expect(second.access.all.count < 2000 && first.access.all.count >= 1000)
      }
    }
  }

  @Test func finishesTheRequestUnderWay() async throws {
    try await withService { service in
      let body = #"{"name":"Late"}"#
      let answer = try await service.client { client in
        try client.send("POST /companies HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n{")
        try waitBriefly()
        service.stop()
        usleep(300_000)
        try client.send(String(body.dropFirst()))
        return try client.receive()
      }
      #expect(answer.status == 201 && answer.closes)
    }
  }

  @Test func anIdleClientGetsOneMoreAnswerAndReadinessIsGone() async throws {
    try await withService({ $0.drain.idle = .seconds(5) }) { service in
      let answer = try await service.client { client in
        #expect(try client.exchange("GET", "/health/ready").status == 200)
        service.stop()
        usleep(200_000)
        return try client.exchange("GET", "/health/ready")
      }
      #expect(answer.status == 503 && answer.closes)
      #expect(service.errors.all.isEmpty)
    }
  }

  @Test func stopsThoughAClientStaysConnected() async throws {
    let clock = ContinuousClock()
    let elapsed = try await clock.measure {
      try await withService { service in
        try await onThread {
          let client = try RawClient(port: service.port)
          _ = try client.exchange("GET", "/health/live")
          service.stop()
          #expect(try client.receiveToEnd().isEmpty)
        }
      }
    }
    #expect(elapsed < .seconds(8))
  }

  @Test func closesHardWhatOutlastsTheDeadline() async throws {
    try await withService({ $0.drain.deadline = .milliseconds(300) }) { service in
      try await service.client { client in
        try client.send("POST /companies HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        try waitBriefly()
        service.stop()
        _ = try? client.receiveToEnd()
      }
      let records = try await service.access.waitFor(1)
      #expect(records.map(\.isAborted) == [true])
    }
  }

  @Test func saysWhyItCannotListen() async throws {
    let (descriptor, port) = try Loopback.listen()
    defer { close(descriptor) }
    await #expect(throws: StartError.addressInUse(host: "127.0.0.1", port: port)) {
      try await withService({ $0.listening = .bind(host: "127.0.0.1", port: port) }) { _ in }
    }
    let null = unsafe open("/dev/null", O_RDONLY)
    defer { close(null) }
    let reason = "Socket operation on non-socket"
    await #expect(throws: StartError.descriptor(null, reason: reason)) {
      try await withService({ $0.listening = .adopt(fileDescriptor: null) }) { _ in }
    }
    await #expect(throws: StartError.staticFilesDirectory(path: "/nowhere")) {
      try await withService({ $0.staticFilesDirectory = "/nowhere" }) { _ in }
    }
  }

  /// A client with one connection that it opens again when the server says so, and that takes no failure.
  private static func keepAsking(port: Int, times: Int, _ done: Records<Int>) throws {
    var client: RawClient?
    for index in 0..<times {
      let connection = try client ?? RawClient(port: port)
      let answer = try connection.exchange("GET", "/companies/\(index % 300 + 1)")
      guard answer.status == 200 else { throw RawClient.Failure.malformed("status \(answer.status)") }
      client = answer.closes ? nil : connection
      done.add(index)
    }
  }
}
