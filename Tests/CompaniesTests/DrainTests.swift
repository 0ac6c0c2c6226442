import Foundation
import Glibc
import Testing

@testable import Companies

/// A worker that is told to stop loses no request, and does stop.
@Suite struct DrainTests {
  @Test(.timeLimit(.minutes(5))) func noRequestFailsWhileOneOfTwoWorkersDrains() async throws {
    let (descriptor, port) = try Loopback.listen()
    defer { close(descriptor) }
    let (done, end) = (Records<Int>(), Records<Bool>())
    let (first, second) = (Records<AccessRecord>(), Records<AccessRecord>())
    try await withService({ $0.listening = .adopt(fileDescriptor: dup(descriptor)) }, access: first) { _ in
      try await withThrowingTaskGroup { tasks in
        for _ in 0..<4 {
          tasks.addTask { try await onThread { try Self.keepAsking(port: port, done, until: end) } }
        }
        tasks.addTask {
          defer { end.add(true) }
          // An idle connection has so much time for its last request that no client can be too slow for it.
          let drained = { (configuration: inout CompaniesConfiguration) in
            configuration.listening = .adopt(fileDescriptor: dup(descriptor))
            configuration.drain.idle = .seconds(60)
          }
          try await withService(drained, access: second) { _ in
            try await waitUntil { done.all.count >= 500 && second.all.count >= 100 }
          }
          // The second has stopped while it was asked: the first answers everything from here on.
          let (asked, answered) = (done.all.count, first.all.count)
          try await waitUntil { done.all.count >= asked + 500 && first.all.count >= answered + 500 }
        }
        try await tasks.waitForAll()
      }
      let total = done.all.count
      try await waitUntil { first.all.count + second.all.count >= total }
      #expect(first.all.count + second.all.count == total)
    }
  }

  @Test func finishesTheRequestUnderWay() async throws {
    try await withService { service in
      let body = #"{"name":"Late"}"#
      let answer = try await service.client { client in
        try client.begin("POST", "/companies", bodyLength: body.utf8.count)
        let idle = try RawClient(port: service.port)
        #expect(try idle.exchange("GET", "/health/live").status == 200)
        service.stop()
        // When the idle connection is closed, the drain has come to both.
        #expect(try idle.receiveToEnd().isEmpty)
        try client.send(body)
        return try client.receive()
      }
      #expect(answer.status == 201 && answer.closes)
    }
  }

  @Test func anIdleClientGetsOneMoreAnswerAndReadinessIsGone() async throws {
    try await withService({ $0.drain.idle = .seconds(60) }) { service in
      let answers = try await service.client { client in
        let other = try RawClient(port: service.port)
        #expect(try client.exchange("GET", "/health/ready").status == 200)
        service.stop()
        // What another connection is told tells that the drain has come to this one, which is idle.
        while try !other.exchange("GET", "/health/live").closes {}
        let answer = try client.exchange("GET", "/health/ready")
        #expect(try client.receiveToEnd().isEmpty)
        return [answer]
      }
      #expect(answers.map(\.status) == [503] && answers.allSatisfy(\.closes))
      #expect(service.errors.all.isEmpty)
    }
  }

  @Test func stopsThoughAClientStaysConnected() async throws {
    let clock = ContinuousClock()
    let client = Records<RawClient>()
    let elapsed = try await clock.measure {
      try await withService({
        $0.drain.deadline = .seconds(120)
        $0.limits.lingering = .milliseconds(300)
      }) { service in
        try await onThread {
          let connection = try RawClient(port: service.port)
          _ = try connection.exchange("GET", "/health/live")
          service.stop()
          #expect(try connection.receiveToEnd().isEmpty)
          client.add(connection)
        }
      }
    }
    // Long before the deadline, and the client is there still.
    #expect(elapsed < .seconds(60))
    #expect(client.all.count == 1)
  }

  @Test func closesHardWhatOutlastsTheDeadline() async throws {
    try await withService({ $0.drain.deadline = .milliseconds(300) }) { service in
      try await service.client { client in
        try client.begin("POST", "/companies", bodyLength: 10)
        try client.send("{")
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

  /// A client with one connection, which it opens again when the server says so and now and then of its own accord, so that both workers get some. It takes no
  /// failure.
  private static func keepAsking(port: Int, _ done: Records<Int>, until end: Records<Bool>) throws {
    var client: RawClient?
    var index = 0
    while end.all.isEmpty {
      let connection = try client ?? RawClient(port: port)
      let answer = try connection.exchange("GET", "/companies/\(index % 300 + 1)")
      guard answer.status == 200 else { throw RawClient.Failure.malformed("status \(answer.status)") }
      index += 1
      client = answer.closes || index % 20 == 0 ? nil : connection
      done.add(index)
    }
  }
}
