import Testing

@testable import Companies

/// HTTP/1 as RFC 9110 and 9112 want it, and the account of it.
@Suite struct EdgeTests {
  @Test func keepsAConnectionAndEndsItWhenAsked() async throws {
    try await withService { service in
      let answers = try await service.client { client in
        let first = try client.exchange("GET", "/health/live")
        let last = try client.exchange("GET", "/health/live", headers: ["Connection: Close"])
        return [first, last] + [RawClient.Response(body: String(try client.receiveToEnd().count))]
      }
      #expect(!answers[0].closes && answers[1].closes && answers[2].body == "0")
    }
  }

  @Test func endsAnHTTP10ConnectionUnlessAskedToKeepIt() async throws {
    try await withService { service in
      try await service.client { client in
        try client.send("GET /health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let kept = try client.receive()
        #expect(kept.status == 200 && kept.headers["connection"] == "keep-alive")
        try client.send("GET /health/live HTTP/1.0\r\n\r\n")
        #expect(try client.receive().closes)
        #expect(try client.receiveToEnd().isEmpty)
      }
    }
  }

  @Test func answersPipelinedRequestsInOrder() async throws {
    try await withService { service in
      try await service.client { client in
        let request = { (id: Int) in "GET /companies/\(id) HTTP/1.1\r\nHost: x\r\nX-Request-ID: r\(id)\r\n\r\n" }
        try client.send((1...20).map(request).joined())
        for id in 1...20 { #expect(try client.receive().headers["x-request-id"] == "r\(id)") }
      }
      let records = try await service.access.waitFor(20)
      #expect(records.map(\.requestID) == (1...20).map { "r\($0)" })
    }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("nonsense\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 100_000) + "\r\n\r\n", 431),
    ("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 200) + "\r\n", 431),
  ])
  func refusesWhatIsNoRequestAndAccountsForIt(_ bytes: String, _ status: Int) async throws {
    try await withService { service in
      let answer = try await service.client { client in
        try client.send(bytes)
        let answer = try client.receive()
        #expect(try client.receiveToEnd().isEmpty)
        return answer
      }
      #expect(answer.status == status && answer.closes)
      #expect(answer.headers["content-type"] == Problem.mediaType)
      let records = try await service.access.waitFor(1)
      #expect(records.map(\.status) == [status])
      #expect(records.first?.requestID == answer.headers["x-request-id"])
    }
  }

  @Test func answersABodyThatBreaksInTheMiddle() async throws {
    try await withService { service in
      let answer = try await service.client { client in
        try client.send("POST /companies HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        return try client.receive()
      }
      #expect(answer.status == 400 && answer.closes)
      #expect(try await service.access.waitFor(1).count == 1)
    }
  }

  @Test func letsAClientThatAsksSendItsBody() async throws {
    try await withService { service in
      try await service.client { client in
        let body = #"{"name":"Patient"}"#
        let head = "POST /companies HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: \(body.utf8.count)"
        try client.send(head + "\r\n\r\n")
        #expect(try client.receive().status == 100)
        try client.send(body)
        #expect(try client.receive().status == 201)
      }
    }
  }

  @Test func takesARequestIDAndGivesOne() async throws {
    try await withService { service in
      let offered = try await service.request("GET", "/health/live", headers: ["X-Request-ID: mine-7"])
      #expect(offered.headers["x-request-id"] == "mine-7")
      let given = try await service.request("GET", "/nowhere")
      #expect(given.headers["x-request-id"]?.count == 32)
      #expect(given.headers["x-internal-route"] == nil)
      #expect(given.headers["date"]?.hasSuffix("GMT") == true)
    }
  }

  @Test func writesOneRecordForEachRequest() async throws {
    try await withService(variables: ["COMPANIES_CHAOS": "1"]) { service in
      try await service.client { client in
        let requests = [
          ("GET", "/companies/7?secret=1"), ("HEAD", "/companies/7"), ("GET", "/companies/99999"), ("GET", "/nowhere"),
          ("DELETE", "/companies"), ("GET", "/chaos/error"), ("GET", "/"),
        ]
        for (method, target) in requests { _ = try client.exchange(method, target) }
      }
      let records = try await service.access.waitFor(7)
      #expect(
        records.map { "\($0.method) \($0.path) \($0.route) \($0.status)" } == [
          "GET /companies/7 /companies/:id 200", "HEAD /companies/7 /companies/:id 200",
          "GET /companies/99999 /companies/:id 404", "GET /nowhere - 404", "DELETE /companies /companies 405",
          "GET /chaos/error /chaos/error 500", "GET / static 200",
        ])
      #expect(records[0].bytes > 0 && records[1].bytes == 0)
      #expect(records.allSatisfy { $0.durationMilliseconds > 0 && $0.client == "127.0.0.1" && !$0.isAborted })
      #expect(Set(records.map(\.requestID)).count == 7)
    }
  }

  @Test func accountsForAClientThatLeavesBeforeItsAnswer() async throws {
    try await withService { service in
      try await service.client { client in
        try client.begin("POST", "/companies", bodyLength: 100)
        try client.send("{")
        client.reset()
      }
      let records = try await service.access.waitFor(1)
      #expect(records.map(\.status) == [Exchange.clientClosedRequest])
      #expect(records.map(\.isAborted) == [true])
      #expect(service.errors.all.isEmpty)
    }
  }

  @Test func accountsForAnAnswerThatBreaksOff() async throws {
    let files = try TemporaryDirectory()
    try files.write("large.bin", String(repeating: "0123456789abcdef", count: 2 << 20))
    try await withService({ $0.staticFilesDirectory = files.path }) { service in
      try await service.client { client in
        try client.send("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.receiveHead().status == 200)
        client.reset()
      }
      let records = try await service.access.waitFor(1)
      #expect(records.map(\.isAborted) == [true])
      #expect(records.map(\.status) == [200])
      #expect(records[0].bytes < 32 << 20)
    }
  }

  @Test func closesConnectionsBeyondTheLimit() async throws {
    try await withService({ $0.limits.connections = 1 }) { service in
      try await service.client { client in
        #expect(try client.exchange("GET", "/health/live").status == 200)
        let second = try RawClient(port: service.port)
        #expect(throws: RawClient.Failure.self) { try second.exchange("GET", "/health/live") }
        #expect(try client.exchange("GET", "/health/live").status == 200)
      }
    }
  }

  @Test func endsIdleConnections() async throws {
    try await withService({ $0.limits.keepAlive = .milliseconds(200) }) { service in
      try await service.client { client in
        try #expect(client.receiveToEnd().isEmpty, "it never asked for anything")
      }
      // After a request, too. On a machine that stands still for longer than the limit the connection ends before its request: then it is tried again.
      for _ in 0..<20 {
        let isAnswered = try await service.client { client in
          guard (try? client.exchange("GET", "/health/live"))?.status == 200 else { return false }
          try #expect(client.receiveToEnd().isEmpty)
          return true
        }
        if isAnswered { return }
      }
      Issue.record("no request in twenty was answered")
    }
  }
}
