import Glibc
import Testing

@testable import Companies

/// Every route, over a socket.
@Suite struct RouteTests {
  @Test func showsACompany() async throws {
    try await withService { service in
      let answer = try await service.request("GET", "/companies/7")
      #expect(answer.status == 200)
      #expect(answer.headers["content-type"] == "application/json; charset=utf-8")
      let company = try json(answer.body)
      #expect(company["id"] as? Int == 7)
      #expect((company["name"] as? String)?.isEmpty == false)
    }
  }

  @Test(arguments: [("/companies/99999", 404), ("/companies/seven", 400), ("/nowhere", 404), ("/companies/7/x", 404)])
  func tellsWhatIsNotThere(_ path: String, _ status: Int) async throws {
    try await withService { service in
      let answer = try await service.request("GET", path)
      #expect(answer.status == status)
      #expect(answer.headers["content-type"] == Problem.mediaType)
      let problem = try json(answer.body)
      #expect(problem["status"] as? Int == status)
      #expect(problem["instance"] as? String == path)
      #expect(problem["request_id"] as? String == answer.headers["x-request-id"])
    }
  }

  @Test func pagesThroughTheCompanies() async throws {
    try await withService { service in
      var seen: [Int] = []
      var after = 0
      for _ in 0..<4 {
        let page = try json(try await service.request("GET", "/companies?limit=100&after=\(after)").body)
        seen += try #require(page["companies"] as? [[String: Any]]).compactMap { $0["id"] as? Int }
        guard let next = page["next"] as? Int else { break }
        after = next
      }
      #expect(seen == Array(1...Seed.count))
      try await #expect(service.request("GET", "/companies?limit=0").status == 422)
      try await #expect(service.request("GET", "/companies?after=x").status == 422)
    }
  }

  @Test func makesACompanyAndShowsIt() async throws {
    try await withService { service in
      let body = #"{"name":"Ålesund Fish","city":"Ålesund","country":"NO","employees":12,"founded":1901}"#
      let made = try await service.request("POST", "/companies", body: body)
      #expect(made.status == 201)
      let location = try #require(made.headers["location"])
      #expect(location == "/companies/301")
      try await #expect(service.request("GET", location).body == made.body)
    }
  }

  @Test func namesTheFieldOfABadBody() async throws {
    try await withService { service in
      let bad = try await service.request("POST", "/companies", body: #"{"name":"a","employees":-5}"#)
      #expect(bad.status == 422)
      let errors = try #require(try json(bad.body)["errors"] as? [[String: String]])
      #expect(errors.map { $0["field"] } == ["employees"])
      try await #expect(service.request("POST", "/companies", body: "{").status == 400)
      try await #expect(service.request("POST", "/companies", body: "").status == 400)
    }
  }

  @Test func refusesABodyThatIsTooLarge() async throws {
    try await withService { service in
      let body = #"{"name":""# + String(repeating: "x", count: CompaniesContext.bodyLimit) + #""}"#
      try await #expect(service.request("POST", "/companies", body: body).status == 413)
    }
  }

  @Test(arguments: [
    ("params=%7B%22a%22%3A1%7D", 200, "Success"), ("params=%7B%22a%22%3A+1%7D", 200, "Success"),
    ("params=3", 200, "Success"),
    ("x=1&params=[]", 200, "Success"), ("params=%7Bbad", 400, "Invalid JSON string"),
    ("params=", 400, "Invalid JSON string"),
    ("params={bad", 400, "Invalid JSON string"), ("params=%zz", 400, "Invalid JSON string"),
    ("params=%ff", 400, "Invalid JSON string"), ("params=[01]", 400, "Invalid JSON string"),
  ])
  func searches(_ query: String, _ status: Int, _ body: String) async throws {
    try await withService { service in
      let answer = try await service.request("GET", "/search?" + query)
      #expect(answer.status == status)
      #expect(answer.body == body)
    }
  }

  @Test func searchSurvivesWhateverItIsAsked() async throws {
    try await withService { service in
      try await #expect(service.request("GET", "/search").status == 400)
      let deep = String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
      try await #expect(service.request("GET", "/search?params=" + deep).body == "Invalid JSON string")
      let long = String(repeating: "x", count: 1_000_000)
      try await #expect(service.request("GET", "/search?params=" + long).status == 431)
      try await #expect(service.request("GET", "/health/live").status == 200)
    }
  }

  @Test func tellsItsHealth() async throws {
    try await withService { service in
      try await #expect(service.request("GET", "/health/live").body == #"{"status":"live"}"#)
      try await #expect(service.request("GET", "/health/ready").body == #"{"status":"ready"}"#)
    }
  }

  @Test func answersAWrongMethodWithTheRightOnes() async throws {
    try await withService { service in
      let answer = try await service.request("DELETE", "/companies/7")
      #expect(answer.status == 405)
      #expect(answer.headers["allow"] == "GET, HEAD, OPTIONS")
      try await #expect(service.request("PUT", "/companies").headers["allow"] == "GET, HEAD, OPTIONS, POST")
      let options = try await service.request("OPTIONS", "/companies")
      #expect(options.status == 204 && options.headers["allow"] == "GET, HEAD, OPTIONS, POST")
    }
  }

  @Test(arguments: ["/companies/7", "/nowhere", "/", "/search", "/chaos/error"])
  func answersHEADAsGETWithoutTheBody(_ path: String) async throws {
    try await withService(variables: ["COMPANIES_CHAOS": "1"]) { service in
      let (get, head, after) = try await service.client { client in
        (try client.exchange("GET", path), try client.exchange("HEAD", path), try client.exchange("GET", path))
      }
      #expect(head.status == get.status && after.status == get.status)
      #expect(head.headers["content-type"] == get.headers["content-type"])
      #expect(head.headers["content-length"] == get.headers["content-length"])
    }
  }

  @Test func showsAWelcomePageWithoutAnyFile() async throws {
    try await withService { service in
      let answer = try await service.request("GET", "/")
      #expect(answer.status == 200)
      #expect(answer.headers["content-type"] == "text/html")
      #expect(answer.body == WelcomePage.html)
      try await #expect(service.request("GET", "/", headers: ["Range: bytes=0-14"]).body == "<!doctype html>")
    }
  }

  @Test func servesFilesAndHidesTheRest() async throws {
    let files = try TemporaryDirectory()
    try files.write("page.html", "<p>page</p>")
    try files.write("deep/index.html", "deep")
    try files.write(".env", "SECRET")
    try files.write(".git/config", "SECRET")
    try await withService({ $0.staticFilesDirectory = files.path }) { service in
      let page = try await service.request("GET", "/page.html")
      #expect(page.body == "<p>page</p>" && page.headers["content-type"] == "text/html")
      try await #expect(service.request("GET", "/deep/").body == "deep")
      try await #expect(service.request("GET", "/").body == WelcomePage.html)
      let tag = try #require(page.headers["etag"])
      try await #expect(service.request("GET", "/page.html", headers: ["If-None-Match: \(tag)"]).status == 304)
      let hidden = [
        "/.env", "/%2eenv", "/.git/config", "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/deep/../.env",
        "/page.html%00", "/..%2f..%2fetc/passwd", "/%zz",
      ]
      for path in hidden {
        let answer = try await service.request("GET", path)
        #expect((400..<500).contains(answer.status), "\(path)")
        #expect(!answer.body.contains("SECRET") && !answer.body.contains("root:"), "\(path)")
      }
    }
  }

  @Test func anIndexOfOurOwnReplacesTheWelcomePage() async throws {
    let files = try TemporaryDirectory()
    try files.write("index.html", "ours")
    try await withService({ $0.staticFilesDirectory = files.path }) { service in
      try await #expect(service.request("GET", "/").body == "ours")
      try await #expect(service.request("GET", "/index.html").body == "ours")
    }
  }

  @Test func chaosExistsOnlyWhenAskedFor() async throws {
    try await withService { service in
      for name in ["trap", "abort", "hang", "error"] {
        try await #expect(service.request("GET", "/chaos/\(name)").status == 404)
      }
    }
    try await withService(variables: ["COMPANIES_CHAOS": "1"]) { service in
      try await #expect(service.request("GET", "/chaos/error").status == 500)
    }
  }

  @Test func aTrapAndAnAbortEndTheProcess() async throws {
    await #expect(processExitsWith: .signal(SIGABRT)) { try await ask("/chaos/abort") }
    #if arch(x86_64)
      let trap = ExitTest.Condition.signal(SIGILL)
    #else
      let trap = ExitTest.Condition.signal(SIGTRAP)
    #endif
    await #expect(processExitsWith: trap) { try await ask("/chaos/trap") }
  }
}

/// Starts a service that may fail on purpose and asks it once. Whether the service has lived on is the caller's question.
private func ask(_ path: String) async throws {
  try await withService(variables: ["COMPANIES_CHAOS": "1"]) { service in
    _ = try? await service.request("GET", path)
  }
}
