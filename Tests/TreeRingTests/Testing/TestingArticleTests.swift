import Foundation
import Testing
import TreeRing

/// The examples of the article *Testing what is logged*, word for word: the last test sees to that.
struct TestingArticleTests {
  struct Checkout {
    let log: Logger

    func place(order number: Int, total: Double) {
      let log = log.with { $0["order.id"] = number }
      log.info("order \(number) placed, total \(total, "order.total")")
      if total > 1000 { log.warning("large order") { $0["order.total"] = total } }
    }
  }

  @Test func aLargeOrderIsToldOf() {
    let recorder = LogRecorder()
    Checkout(log: recorder.logger("shop.checkout")).place(order: 17, total: 1200)
    #expect(recorder.records.map(\.message) == ["order 17 placed, total 1200.0", "large order"])
    #expect(recorder.records.last?.level == .warning)
    #expect(recorder.records.last?.values == ["order.id": 17, "order.total": 1200.0])
  }

  @Test func aLostMailIsAnError() async {
    let recorder = LogRecorder()
    let isSent = await recorder.recording { await send(to: "ada@example.com") }
    #expect(!isSent)
    #expect(recorder.records.contains { $0.level == .error && $0["mail.attempt"] == 3 })
    #expect(recorder.records.contains { $0.isDebugChannel && $0.label == "shop:mail" })
  }

  @Test func theWorkerTellsThatItIsReady() async {
    let recorder = LogRecorder()
    let log = recorder.logger("worker")
    let worker = Task { log.notice("ready") { $0["port"] = 8080 } }
    let ready = await recorder.first { $0.message == "ready" }
    #expect(ready?["port"] == 8080)
    await worker.value
  }

  @Test func nothingIsComputedForALevelThatIsOff() {
    let recorder = LogRecorder(level: .info, debug: "shop:*,-shop:cache")
    let log = recorder.logger("shop")
    log.debug("\(expensive())")
    #expect(recorder.records.isEmpty)
  }

  /// Every line of code in the article stands in this file.
  @Test func theArticleHoldsTheseExamples() throws {
    let here = URL(fileURLWithPath: #filePath)
    let root = (0..<4).reduce(here) { url, _ in url.deletingLastPathComponent() }
    let article = root.appendingPathComponent("Sources/TreeRing/TreeRing.docc/Testing.md")
    let code = Set(try Self.lines(of: here))
    var isCode = false
    var checked = 0
    for line in try Self.lines(of: article) {
      if line.hasPrefix("```") {
        isCode = line == "```swift"
      } else if isCode, !line.isEmpty {
        #expect(code.contains(line), "no test has this line of the article: \(line)")
        checked += 1
      }
    }
    #expect(checked > 30)
  }

  private static func lines(of file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }
}

/// For the whole of a program; compiled, and called by `LogRecorderTests` in a process of its own.
func startLogging(into recorder: LogRecorder) throws {
  try LogSystem.start(LogConfiguration(level: .info, sinks: [.recorder(recorder)]))
}

private let log = Logger("shop.mail")
private let debug = DebugChannel("shop:mail")

private func send(to address: String) async -> Bool {
  debug("connecting for \(address, "address")")
  log.error("no server") { $0["mail.attempt"] = 3 }
  return false
}

private func expensive() -> Int {
  Issue.record("evaluated, though the level is off")
  return 1
}
