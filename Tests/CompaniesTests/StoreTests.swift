import Foundation
import GRDB
import HTTPTypes
import NIOCore
import Testing

@testable import Companies

@Suite struct StoreTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func seedsOnceHoweverOftenItOpens() async throws {
    let first = try Store(directory: directory.path)
    #expect(try await first.count() == Seed.count)
    _ = try await first.insert(NewCompany(name: "Ours"))
    try first.close()
    let second = try Store(directory: directory.path)
    #expect(try await second.count() == Seed.count + 1)
    #expect(try await second.company(id: Int64(Seed.count + 1))?.name == "Ours")
  }

  @Test func manyThatStartTogetherSeedOnce() async throws {
    let path = directory.path
    try await withThrowingTaskGroup { group in
      for _ in 0..<6 {
        group.addTask { try await onThread { try Application.prepare(dataDirectory: path, staticFilesDirectory: nil) } }
      }
      try await group.waitForAll()
    }
    #expect(try await Store(directory: path).count() == Seed.count)
  }

  @Test func theStepIsTakenOnceEvenWithoutTheLock() async throws {
    let path = directory.path + "/unlocked.sqlite"
    var configuration = Store.configuration
    // A slow disk is not what this is about.
    configuration.busyMode = .timeout(60)
    let pools = try (0..<4).map { [configuration] _ in try DatabasePool(path: path, configuration: configuration) }
    try await withThrowingTaskGroup { group in
      for pool in pools { group.addTask { try await onThread { try Schema.prepare(pool) } } }
      try await group.waitForAll()
    }
    #expect(try await pools[0].read { try Company.fetchCount($0) } == Seed.count)
  }

  @Test func theSeedIsTheSameEverywhere() {
    #expect(Seed.companies() == Seed.companies())
    #expect(Set(Seed.companies().map(\.name)).count == Seed.count)
  }

  @Test func readsOnePageAfterAnother() async throws {
    let store = try Store(directory: directory.path)
    #expect(try await store.companies(after: 0, limit: 2).map(\.id) == [1, 2])
    #expect(try await store.companies(after: 299, limit: 5).map(\.id) == [300])
    #expect(try await store.company(id: 0) == nil)
  }

  @Test func twoStoresOnOneFileSeeEachOthersWrites() async throws {
    let writer = try Store(directory: directory.path)
    let reader = try Store(directory: directory.path)
    let company = try await writer.insert(NewCompany(name: "New", city: "Oslo", employees: 3))
    #expect(try await reader.company(id: company.id) == company)
  }

  @Test func makesTheFoldersThatAreMissing() async throws {
    let path = directory.path + "/a/b/c"
    #expect(try await Store(directory: path).count() == Seed.count)
  }

  @Test func namesTheFolderItCannotUse() throws {
    try directory.write("file", "")
    let path = directory.path + "/file"
    #expect(throws: StartError.dataDirectory(path: path, reason: "Not a directory")) {
      try Store(directory: path)
    }
    #expect(throws: StartError.dataDirectory(path: path + "/below", reason: "Not a directory")) {
      try Store(directory: path + "/below")
    }
    #expect(throws: StartError.dataDirectory(path: "/proc/nowhere", reason: "No such file or directory")) {
      try Store(directory: "/proc/nowhere")
    }
  }

  @Test func namesTheFileThatIsNoDatabase() throws {
    try directory.write(Store.fileName, String(repeating: "not a database ", count: 100))
    let path = directory.path + "/" + Store.fileName
    #expect(throws: StartError.store(path: path, reason: "file is not a database")) {
      try Store(directory: directory.path)
    }
  }

  @Test(arguments: [
    (#"{"name":""}"#, "name"), (#"{"name":"   "}"#, "name"), (#"{}"#, "name"), (#"{"name":5}"#, "name"),
    (#"{"name":null}"#, "name"), (#"{"name":"a","employees":-1}"#, "employees"),
    (#"{"name":"a","employees":1e99}"#, "employees"), (#"{"name":"a","employees":1.5}"#, "employees"),
    (#"{"name":"a","founded":99}"#, "founded"),
    (#"{"name":"a","country":"no"}"#, "country"), (#"{"name":"a","city":[]}"#, "city"),
  ])
  func namesTheFieldThatIsNotAcceptable(_ body: String, _ field: String) throws {
    let error = #expect(throws: AppError.self) { try NewCompany(json: ByteBuffer(string: body)) }
    #expect(error?.status == .unprocessableContent)
    #expect(error?.violations.map(\.field) == [field])
  }

  @Test func namesEveryFieldThatIsNotAcceptable() throws {
    let body = ByteBuffer(string: #"{"name":"","country":"x","founded":1}"#)
    let error = #expect(throws: AppError.self) { try NewCompany(json: body) }
    #expect(error?.violations.map(\.field) == ["name", "country", "founded"])
  }

  @Test(arguments: ["", "{", "[]", "5", #"{"name":"a"} x"#, String(repeating: "[", count: 20_000)])
  func refusesABodyThatIsNoObject(_ body: String) throws {
    let error = #expect(throws: AppError.self) { try NewCompany(json: ByteBuffer(string: body)) }
    #expect(error?.status == .badRequest)
  }
}
